"""``python -m training``: help, what is said when something is missing, and the whole way on the smallest networks."""

from __future__ import annotations

import csv
import json

import pytest

from Testing.harness.tiny_recipe import TINY
from training import recipes
from training.__main__ import main
from training.sources import PHANTOM
from TwoStageSegLib.model import CARD, verify

COMMANDS = ("data", "suggest", "fit", "export", "evaluate", "baseline", "results", "compare")


@pytest.mark.parametrize("arguments", [["--help"], *([c, "--help"] for c in COMMANDS)], ids=" ".join)
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: python -m training" in shown
    assert arguments != ["--help"] or all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["bake"], ["data", "imagenet"], ["export"]], ids=" ".join)
def test_wrong_usage_is_code_2(arguments):
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2


def test_data_without_a_folder_says_which_option(tmp_path, capsys):
    assert main(["data", "openkbp", "--to", str(tmp_path / "prepared")]) == 2
    assert "--from DIR" in capsys.readouterr().err
    assert not (tmp_path / "prepared").exists()


def test_data_from_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main(["data", "openkbp", "--from", str(tmp_path / "nowhere"), "--to", str(tmp_path / "prepared")]) == 2
    shown = capsys.readouterr().err
    assert "index.csv" in shown and shown.count("\n") == 1


def test_fit_without_prepared_cases_says_what_to_run_first(tmp_path, capsys):
    assert main(["fit", "segment", "--data", str(tmp_path), "--run", str(tmp_path / "run")]) == 2
    assert "run 'python -m training data" in capsys.readouterr().err


def test_an_unknown_recipe_lists_the_known_ones(prepared, tmp_path):
    with pytest.raises(SystemExit, match=r"No recipe 'best'; known: hn-oar-ct, .*phantom"):
        main(["fit", "locate", "--recipe", "best", "--data", str(prepared), "--run", str(tmp_path)])


def test_an_unknown_bundle_is_one_line(prepared, tmp_path, capsys):
    assert main(["evaluate", "no-such-bundle", "--data", str(prepared), "--to", str(tmp_path)]) == 2
    assert "No model 'no-such-bundle'" in capsys.readouterr().err


def test_a_grade_that_no_case_has_is_one_line(prepared, fake_bundle, tmp_path, capsys):
    assert main(["evaluate", str(fake_bundle), "--data", str(prepared), "--grade", "Z", "--to", str(tmp_path)]) == 2
    assert "None of the test cases has grade 'Z'" in capsys.readouterr().err


@pytest.mark.usefixtures("located_anywhere")
def test_fit_export_evaluate(prepared, tiny_run, tmp_path, monkeypatch, capsys):
    """The three commands on the smallest networks; ``evaluate --write`` puts the figures into manifest and card."""
    monkeypatch.setitem(recipes.RECIPES, "tiny", (TINY, PHANTOM))
    options = ["--recipe", "tiny", "--data", str(prepared)]
    small = ["--steps", "2", "--decay-steps", "1", "--every", "2", "--device", "cpu"]
    assert main(["fit", "segment", *options, "--run", str(tmp_path / "run"), *small]) == 0
    assert "segment: 2 steps" in capsys.readouterr().out
    assert (tmp_path / "run" / "segment" / "best.safetensors").is_file()

    bundle = tmp_path / "bundle"
    assert main(["export", *options, "--run", str(tiny_run), "--to", str(bundle), "--bundle-version", "0.9.0"]) == 0
    before = verify(bundle)
    assert f"tiny 0.9.0 in {bundle}, sha256 {before.sha256[:12]}" in capsys.readouterr().out

    data = ["--data", str(prepared), "--to", str(tmp_path / "results"), "--device", "cpu"]
    assert main(["evaluate", str(bundle), *data, "--write", "--run", str(tiny_run)]) == 0
    results = tmp_path / "results"
    with (results / "cases.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * (3 + 6 + 6)  # organs of one case; three ways, six shifts, six scales
    assert {p.name for p in results.iterdir()} == {
        *("cases.csv", "slices.csv", "about.json", "summary.json", "summary.md", "dice.png", "location_error.png")
    }
    with (results / "slices.csv").open(newline="") as stream:
        slices = list(csv.DictReader(stream))
    assert {s["way"] for s in slices} == {"auto", "box", "click"}  # no curves: they would be most of the file
    assert sum(float(r["either_slices"]) for r in rows if r["way"] == "auto") == sum(s["way"] == "auto" for s in slices)
    about = json.loads((results / "about.json").read_text())
    assert (about["name"], about["cases"], about["split"]) == ("tiny", 1, "test") and about["parameters"] > 0
    after = verify(bundle)
    assert after.sha256 != before.sha256 and set(after.manifest.files) == set(before.manifest.files)
    figures = after.manifest.evaluation
    assert figures["organs"] == json.loads((results / "summary.json").read_text())
    assert [mm for mm, _ in figures["location_error"]["Brainstem"]["shift_mm"]] == [0, 1, 3, 5, 7, 9]
    assert "1 test cases of grade A" in (bundle / CARD).read_text() and "locate 2 steps" in (bundle / CARD).read_text()
    capsys.readouterr()

    page = tmp_path / "docs" / "results.md"
    assert main(["results", str(results), "--title", "Tiny", "--to", str(page)]) == 0
    assert page.read_text().startswith("# Tiny\n") and "| Brainstem | 1 |" in page.read_text()


def test_the_baseline_is_measured_on_the_same_cases(prepared, tmp_path, monkeypatch, capsys):
    from safetensors.torch import save_file

    from TwoStageSegLib.networks.unet import UNet

    monkeypatch.setitem(recipes.RECIPES, "tiny", (TINY, PHANTOM))
    save_file(UNet(3, 1, len(TINY.organs), TINY.segment_widths).state_dict(), tmp_path / "weights.safetensors")
    options = ["--recipe", "tiny", "--data", str(prepared), "--to", str(tmp_path / "results")]
    assert main(["baseline", str(tmp_path / "weights.safetensors"), *options]) == 0
    summary = json.loads((tmp_path / "results" / "summary.json").read_text())
    assert set(summary) == {"Brainstem", "Parotid_R", "Parotid_L"}
    assert all(entry["n"] == 1 and 0 <= entry["auto"]["dice"] < 1 for entry in summary.values())
    assert "Brainstem" in capsys.readouterr().out


def test_an_unknown_network_is_named_with_those_there_are(prepared, tmp_path):
    with pytest.raises(SystemExit, match="no network 'lokate'; it has: locate, baseline, segment"):
        main(["fit", "lokate", "--data", str(prepared), "--run", str(tmp_path)])

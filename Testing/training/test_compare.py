"""The page that compares systems, from folders written by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from training.__main__ import main
from training.compare.figures import differences, seconds_per_case, shared_cases, slice_differences
from training.compare.inputs import read
from training.evaluate import write_results
from TwoStageSegLib.metrics import SliceAgreement

CASES = ("a", "b", "c", "d", "e")
DICE = {"box": 0.1, "auto": 0.0, "click": 0.05}  # what a way of locating adds


def write(folder: Path, dice: list[float], cases=CASES, missing: int = 0, **about) -> Path:
    """Larynx of five cases; slices 10 to 14, of which the last ``missing`` are not drawn."""
    rows = []
    for case, value in zip(cases, dice, strict=True):
        slices = [
            SliceAgreement(i, 0 if i >= 15 - missing else 10, 10, 0 if i >= 15 - missing else 8) for i in range(10, 15)
        ]
        for way, more in DICE.items():
            rows.append({
                "case": case, "grade": "A", "organ": "Larynx", "way": way, "status": "located", "score": 0.9,
                "held": 1.0, "centre_error_mm": 4.0, "true_ml": 20.0, "ml": 22.0, "dice": value + more, "hd95": 5.0,
                "outcome": "compared", "surface_dice": 0.9, "volume_ratio": 1.1, "missing_slices": missing,
                "wrong_slices": 0, "extra_slices": 0, "reference_slices": 5, "either_slices": 5,
                "locate_s": 2.0 if way == "auto" else 0.0, "segment_s": 0.5, "slices": tuple(slices),
            })  # fmt: skip
        rows += [{**rows[-1], "way": f"shift_{mm}", "dice": value - mm / 100} for mm in (0, 5)]
    write_results(folder, rows, {}, about)
    return folder


def older(folder: Path) -> Path:
    """The folder as the first version of ``evaluate`` left it: few columns, no slices, nothing about the bundle."""
    with (folder / "cases.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    keep = (
        "case",
        "grade",
        "organ",
        "way",
        "status",
        "score",
        "held",
        "centre_error_mm",
        "true_ml",
        "ml",
        "dice",
        "hd95",
    )
    with (folder / "cases.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, keep, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "slices.csv").unlink()
    (folder / "about.json").unlink()
    return folder


FIRST, SECOND = [0.50, 0.60, 0.70, 0.78, 0.80], [0.60, 0.80, 0.71, 0.80, 0.83]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    about = {"name": "tiny", "version": "1.0.0", "system": "localise-crop", "parameters": 2_500_000, "peak_mb": 700}
    return (
        write(tmp_path / "one", FIRST, missing=2, split="test", **about),
        write(tmp_path / "two", SECOND, missing=1, split="test", device="cpu"),
    )


def test_figures_by_hand(folders):
    one, two = systems = [read(str(f)) for f in folders]
    assert shared_cases(systems, "Larynx") == CASES
    assert seconds_per_case(one) == pytest.approx(2.5)  # located once, one organ
    (d,) = differences(systems, "dice")
    assert (d.first, d.second, d.organ, d.paired.n) == ("one", "two", "Larynx", 5)
    assert d.paired.mean_difference == pytest.approx((0.10 + 0.20 + 0.01 + 0.02 + 0.03) / 5)
    assert d.paired.wilcoxon_p == d.wilcoxon_holm == pytest.approx(2 / 32)
    (missing, wrong, extra) = slice_differences(systems)
    assert (missing.kind, missing.only_first, missing.only_second) == ("missing", 5, 0)  # slice 13 of every case
    assert missing.p == pytest.approx(2 / 32) and missing.holm == pytest.approx(6 / 32)
    assert (wrong.p, extra.holm) == (1.0, 1.0)
    assert one.curve("Larynx", "shift_mm") == [(0, pytest.approx(0.676)), (5, pytest.approx(0.626))]
    assert two.curve("Larynx", "box_scale") == []


def test_the_page(folders, tmp_path, capsys):
    target = tmp_path / "page"
    assert main(["compare", f"coarse={folders[0]}", str(folders[1]), "--to", str(target), "--title", "Two"]) == 0
    assert capsys.readouterr().out.strip() == str(target / "compare.md")
    text = (target / "compare.md").read_text()
    assert text.startswith("# Two\n") and "maximum of the two directed 95th percentiles" in text
    for line in (
        "| coarse | tiny 1.0.0 localise-crop | 5 | 2.50 M | 2.50 | 700 | - |",
        "| two | - | 5 | - | 2.50 | - | cpu |",
        "| 5.0 | 0.900 | 1.10 (1.10) | 10/25 | 0/25 | 0/25 | 4.0 | 5/5 |",  # two missing slices in each of five cases
        "| coarse | two | Larynx | missing | 5 | 0 | 0.062 | 0.188 |",
        "| Larynx | coarse | 0.776 | 0.676 | 0.726 | 0.224 | +0.100 | +0.050 |",  # where the Dice went
        "| Larynx | coarse | 0.676 | 0.626 |",  # moved by 0 and 5 mm
        "| model1: coarse | 0.676 | 5.00 | 1.10 |",
        "| model2: two | 0.748 | 5.00 | 1.10 |",
        "| coarse | two | Larynx | 3 | +0.103 | 2 | +0.025 |",  # below 0.75: 0.50 0.60 0.70
    ):
        assert line in text, line
    # papers/002: mean and deviation over cases; only the true box is significantly better than the first system
    deviations = [f"{np.std(v, ddof=1):.4f}" for v in (FIRST, SECOND)]
    assert f"| Larynx | 0.6760 ± {deviations[0]} | 0.7480 ± {deviations[1]} | **0.8480 ± {deviations[1]}** |" in text
    assert "Tables 3 and 4 (test cases)" in text
    pictures = {p.name for p in target.glob("*.png")}
    assert pictures == {"boxes.png", "improvement.png", "profile.png", "location_error.png", "where.png"}
    assert all(f"]({p})" in text and (target / p).stat().st_size > 5000 for p in pictures)
    assert "nan" not in text


def test_only_cases_that_all_have(folders, tmp_path):
    write(tmp_path / "three", SECOND[:3], cases=("c", "x", "a"))
    systems = [read(str(f)) for f in (*folders, tmp_path / "three")]
    assert shared_cases(systems, "Larynx") == ("a", "c")
    assert {d.paired.n for d in differences(systems, "dice")} == {2}


def test_older_folders_have_gaps_and_their_bundle_can_be_named(folders, tmp_path, fake_bundle, capsys):
    older(folders[0])
    target = tmp_path / "page"
    named = ["--bundle", f"one={fake_bundle}"]
    assert main(["compare", *map(str, folders), "--to", str(target), *named]) == 0
    text = (target / "compare.md").read_text()
    assert "| 5.0 | - | 1.10 (1.10) | - | - | - | 4.0 | 5/5 |" in text  # the volume ratio follows from the volumes
    assert "### surface Dice" not in text and "Slices that one" not in text
    manifest = json.loads((fake_bundle / "manifest.json").read_text())
    assert f"| one | {manifest['name']} {manifest['version']}" in text


def test_nothing_in_common_is_said(folders, tmp_path, capsys):
    other = write(tmp_path / "three", SECOND, cases=tuple("vwxyz"))
    assert main(["compare", str(folders[0]), str(other), "--to", str(tmp_path / "page")]) == 2
    assert "one, three have no organ of a case in common" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one"], "Give two systems or more"),
        (["one", "one"], "a name of its own"),
        (["one", "nowhere"], "holds no cases.csv"),
        (["one", "two", "--bundle", "three=x"], "none of the systems"),
        (["one", "two", "--bundle", "x"], "say which system's it is"),
    ],
)
def test_what_cannot_be_compared_is_one_line(folders, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments, "--to", "page"]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not (tmp_path / "page").exists()

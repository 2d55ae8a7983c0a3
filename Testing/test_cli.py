"""The command line: exit codes, messages, what is written and what is not. The system is a fake; files are real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.bundles import manifest_values, write_fake_bundle, write_manifest
from Testing.harness.fake_system import BOXES_ZYX, HU, SIZE, FakeSystem, fake_volume
from TwoStageSegLib import RESEARCH_NOTICE, __version__, pipeline
from TwoStageSegLib.cli import joined, main
from TwoStageSegLib.device import Device
from TwoStageSegLib.model import sha256_of
from TwoStageSegLib.outputs.segnrrd import read_segmentation

BLOCK_ML = SIZE**3 * 4 * 4 * 5 / 1000  # 5.12: 64 voxels of 80 mm3


@pytest.fixture(autouse=True)
def fake_machine(monkeypatch, tmp_path):
    """The fake system on a fake device, and tmp_path as the current folder."""
    monkeypatch.setattr(pipeline, "create", FakeSystem)
    monkeypatch.setattr(pipeline, "choose_device", lambda wanted: Device("cpu", f"CPU: fake, {wanted}", half=False))
    monkeypatch.chdir(tmp_path)


def write_ct(path: Path, organs=HU) -> Path:
    import SimpleITK as sitk

    volume = fake_volume(organs)
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetSpacing(volume.geometry.spacing_xyz_mm)
    image.SetOrigin(volume.geometry.origin_lps)
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def ct(tmp_path):
    return write_ct(tmp_path / "scan.nrrd")


def call(*arguments) -> int:
    """Exit code of one call, whether main returns it or argparse leaves with it."""
    try:
        return main([str(a) for a in arguments])
    except SystemExit as leaving:
        return int(leaving.code or 0)


def files(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()} - {"fake", "scan.nrrd"}


def test_segment_writes_segmentation_json_and_report(ct, fake_bundle, tmp_path, capsys):
    code = call("segment", ct, "--model", fake_bundle, "--json", "out.json", "--report", "out.html", "--device", "cpu")
    assert code == 0
    assert files(tmp_path) == {"scan.seg.nrrd", "out.json", "out.html"}
    masks = {m.organ: m for m in read_segmentation(tmp_path / "scan.seg.nrrd")}
    assert list(masks) == list(HU)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Parotid_L" in page and "http://" not in page.replace("http://www.w3.org", "") and "scan.nrrd" not in page
    for organ, start in BOXES_ZYX.items():
        full = np.zeros((24, 24, 28), bool)
        full[tuple(slice(s, s + SIZE) for s in start)] = True
        assert np.array_equal(masks[organ].full(), full)
    shown = capsys.readouterr()
    assert RESEARCH_NOTICE in shown.out
    assert "28 x 24 x 24" in shown.out
    assert shown.err == ""  # no progress where nobody watches a terminal


def test_the_json_holds_what_the_design_promises(ct, fake_bundle, tmp_path):
    assert call("segment", ct, "--model", fake_bundle, "--json", "out.json", "--device", "cpu") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["model"] == {"name": "fake", "version": "0.0.1", "sha256": sha256_of(fake_bundle / "manifest.json")}
    assert found["tool"] == {"name": "twostageseg", "version": __version__}
    assert found["device"] == "CPU: fake, cpu"
    assert found["notice"] == RESEARCH_NOTICE
    assert found["seconds"]["total"] >= found["seconds"]["locate"] >= 0
    assert list(found["organs"]) == list(HU)
    parotid = found["organs"]["Parotid_L"]
    assert (parotid["status"], parotid["source"], parotid["score"]) == ("located", "auto", 1.0)
    assert parotid["volume_ml"] == pytest.approx(BLOCK_ML)
    # first voxel (10, 8, 18), last (13, 11, 21), grown by 1.5 voxels: x = -30 + 4 * (16.5 .. 22.5), and so on
    assert parotid["region"]["bounds_lps"] == pytest.approx([36, 60, 6, 30, 142.5, 172.5])
    assert parotid["region"]["kind"] == "box"
    assert parotid["seconds"]["segment"] >= 0
    assert not parotid["touches_edge"] and parotid["notes"] == []
    assert "scan" not in json.dumps(found)  # nothing that names the input


def test_one_organ_only(ct, fake_bundle, tmp_path):
    assert call("segment", ct, "--model", fake_bundle, "--organ", "Parotid_R", "-o", "one.seg.nrrd") == 0
    assert [m.organ for m in read_segmentation(tmp_path / "one.seg.nrrd")] == ["Parotid_R"]


def test_a_centre_replaces_the_automatic_location(ct, fake_bundle, tmp_path):
    # The centre of Brainstem's block: index (9.5, 7.5, 11.5) -> x 16, y 10, z 147.5
    code = call("segment", ct, "--model", fake_bundle, "--centre", "Brainstem=16,10,147.5", "--json", "out.json")
    assert code == 0
    organs = json.loads((tmp_path / "out.json").read_text())["organs"]
    assert (organs["Brainstem"]["source"], organs["Parotid_L"]["source"]) == ("click", "auto")
    assert organs["Brainstem"]["region"]["centre_lps"] == [16, 10, 147.5]
    assert organs["Brainstem"]["region"]["bounds_lps"] is None
    assert organs["Brainstem"]["volume_ml"] == pytest.approx(BLOCK_ML)


def test_a_negative_centre_needs_no_name_with_one_organ(ct, fake_bundle, tmp_path):
    call("segment", ct, "--model", fake_bundle, "--organ", "Parotid_R", "--centre", "-8,18,157.5", "--json", "out.json")
    organ = json.loads((tmp_path / "out.json").read_text())["organs"]["Parotid_R"]
    assert organ["source"] == "click" and organ["volume_ml"] == pytest.approx(BLOCK_ML)


def test_a_box_may_have_swapped_ends_and_cut_the_organ(ct, fake_bundle, tmp_path, capsys):
    # x 8..24 and y 2..18 hold all of Brainstem's columns, z 140..152 three of its four slices (140, 145, 150)
    box = "Brainstem=24,8,2,18,140,152"
    assert call("segment", ct, "--model", fake_bundle, "--organ", "Brainstem", "--box", box, "--json", "out.json") == 0
    organ = json.loads((tmp_path / "out.json").read_text())["organs"]["Brainstem"]
    assert organ["source"] == "box"
    assert organ["volume_ml"] == pytest.approx(BLOCK_ML * 3 / 4)
    assert organ["touches_edge"] and "edge of its crop" in organ["notes"][0]
    assert "edge of its crop" in capsys.readouterr().out


def test_joined_only_joins_numbers():
    assert joined(["--centre", "-1,2,3", "--box", "-.5,1"]) == ["--centre=-1,2,3", "--box=-.5,1"]
    assert joined(["--centre", "--box", "-x"]) == ["--centre", "--box", "-x"]


def test_an_organ_that_is_not_there_gives_4_and_the_others(tmp_path, fake_bundle, capsys):
    ct = write_ct(tmp_path / "scan.nrrd", ["Brainstem", "Parotid_R"])
    assert call("segment", ct, "--model", fake_bundle, "--json", "out.json") == 4
    assert [m.organ for m in read_segmentation(tmp_path / "scan.seg.nrrd")] == ["Brainstem", "Parotid_R"]
    organ = json.loads((tmp_path / "out.json").read_text())["organs"]["Parotid_L"]
    assert (organ["status"], organ["region"], organ["volume_ml"], organ["score"]) == ("not located", None, 0.0, 0.1)
    assert "not located" in capsys.readouterr().out


def test_nothing_found_writes_no_empty_segmentation(tmp_path, fake_bundle):
    ct = write_ct(tmp_path / "scan.nrrd", ["Brainstem"])
    assert call("segment", ct, "--model", fake_bundle, "--organ", "Parotid_L", "--json", "out.json") == 4
    assert files(tmp_path) == {"out.json"}


def test_nothing_found_leaves_no_segmentation_of_an_earlier_run(tmp_path, fake_bundle):
    """With --overwrite, another patient's contours must not stand beside this run's figures."""
    ct = write_ct(tmp_path / "scan.nrrd", ["Brainstem"])
    (tmp_path / "scan.seg.nrrd").write_bytes(b"another patient")
    options = ["--organ", "Parotid_L", "--json", "out.json", "--overwrite"]
    assert call("segment", ct, "--model", fake_bundle, *options) == 4
    assert files(tmp_path) == {"out.json"}


def test_an_empty_box_counts_as_not_located_and_says_why(ct, fake_bundle, tmp_path):
    box = "Brainstem=-25,-10,40,60,110,130"
    assert call("segment", ct, "--model", fake_bundle, "--organ", "Brainstem", "--box", box, "--json", "o.json") == 4
    organ = json.loads((tmp_path / "o.json").read_text())["organs"]["Brainstem"]
    assert organ["status"] == "not located" and organ["source"] == "box" and organ["region"] is not None
    assert "nothing was found" in organ["notes"][0]


def test_locate_writes_regions_and_no_segmentation(ct, fake_bundle, tmp_path, capsys):
    assert call("locate", ct, "--model", fake_bundle, "--organ", "Parotid_L", "--json", "where.json") == 0
    assert files(tmp_path) == {"where.json"}
    organ = json.loads((tmp_path / "where.json").read_text())["organs"]["Parotid_L"]
    assert organ["status"] == "located" and "volume_ml" not in organ
    assert organ["region"]["centre_lps"] == pytest.approx([48, 18, 157.5])
    assert "48.0 18.0 157.5" in capsys.readouterr().out


def test_locate_gives_4_if_one_is_not_located(tmp_path, fake_bundle):
    ct = write_ct(tmp_path / "scan.nrrd", ["Brainstem"])
    assert call("locate", ct, "--model", fake_bundle, "--json", "where.json") == 4
    assert json.loads((tmp_path / "where.json").read_text())["organs"]["Parotid_L"]["status"] == "not located"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--organ", "Heart"], 2, "has no organ 'Heart'. It has: Brainstem, Parotid_R, Parotid_L"),
        (["--centre", "1,2,3"], 2, "say which organ"),
        (["--centre", "Heart=1,2,3"], 2, "'Heart' is not among"),
        (["--organ", "Brainstem", "--centre", "Parotid_L=1,2,3"], 2, "'Parotid_L' is not among"),
        (["--centre", "Brainstem=1,2"], 2, "3 numbers are needed"),
        (["--centre", "Brainstem=1,2,x"], 2, "3 numbers are needed"),
        (["--box", "Brainstem=1,2,3"], 2, "6 numbers are needed"),
        (["--centre", "Brainstem=1,2,3", "--box", "Brainstem=1,2,3,4,5,6"], 2, "two locations"),
        (["--centre", "Brainstem=nan,2,3"], 3, "not a number"),
        (["--box", "Brainstem=1,1,3,4,5,6"], 3, "no size"),
        (["--centre", "Brainstem=1000,2,3"], 3, "outside the image"),
        (["--box", "Brainstem=500,600,3,4,5,6"], 3, "outside the image"),
        (["-o", "out.nrrd"], 2, "must end in .seg.nrrd"),
        (["-o", "nowhere/out.seg.nrrd"], 3, "does not exist"),
        (["-o", "a.seg.nrrd", "--json", "a.seg.nrrd"], 2, "another output"),
        (["--device", "tpu"], 2, "invalid choice: 'tpu'"),
        (["--model", "nothing"], 2, "No model 'nothing'"),
        (["--colour"], 2, "unrecognized arguments: --colour"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(ct, fake_bundle, tmp_path, capsys, arguments, code, message):
    assert call("segment", ct, "--model", fake_bundle, *arguments) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1 and shown.out == ""
    assert files(tmp_path) == set()


def test_a_missing_image_is_refused(fake_bundle, tmp_path, capsys):
    assert call("segment", "none.nrrd", "--model", fake_bundle) == 3
    assert "none.nrrd" in capsys.readouterr().err
    assert files(tmp_path) == set()


def test_a_damaged_bundle_is_refused(ct, fake_bundle, tmp_path, capsys):
    with (fake_bundle / "weights.safetensors").open("ab") as file:
        file.write(b"!")
    assert call("segment", ct, "--model", fake_bundle) == 3
    assert "damaged or changed. [E_MODEL]" in capsys.readouterr().err
    assert files(tmp_path) == set()


def test_an_existing_output_is_kept_unless_overwrite(ct, fake_bundle, tmp_path, capsys):
    (tmp_path / "scan.seg.nrrd").write_bytes(b"precious")
    assert call("segment", ct, "--model", fake_bundle) == 2
    assert "exists. Choose another name, or allow it with --overwrite. [E_EXISTS]" in capsys.readouterr().err
    assert (tmp_path / "scan.seg.nrrd").read_bytes() == b"precious"
    assert call("segment", ct, "--model", fake_bundle, "--overwrite") == 0
    assert len(read_segmentation(tmp_path / "scan.seg.nrrd")) == 3


def test_the_input_is_never_overwritten(tmp_path, fake_bundle, capsys):
    ct = write_ct(tmp_path / "scan.seg.nrrd")
    before = ct.read_bytes()
    assert call("segment", ct, "--model", fake_bundle, "-o", ct, "--overwrite") == 2
    assert "is also the input" in capsys.readouterr().err
    assert ct.read_bytes() == before


def test_if_the_report_fails_nothing_is_left_and_the_old_stays(ct, fake_bundle, tmp_path, monkeypatch, capsys):
    (tmp_path / "old.seg.nrrd").write_bytes(b"precious")

    def fail(path, volume, result, model, record):
        path.write_text("half")
        raise RuntimeError("no space for pictures")

    monkeypatch.setattr("TwoStageSegLib.outputs.report.write_report", fail)
    arguments = ["-o", "old.seg.nrrd", "--overwrite", "--json", "out.json", "--report", "out.html"]
    assert call("segment", ct, "--model", fake_bundle, *arguments) == 1
    assert files(tmp_path) == {"old.seg.nrrd"}
    assert (tmp_path / "old.seg.nrrd").read_bytes() == b"precious"
    error = capsys.readouterr().err
    assert "Unexpected RuntimeError: no space for pictures" in error and error.count("\n") == 1


def test_debug_shows_where_it_broke(ct, fake_bundle, monkeypatch, capsys):
    monkeypatch.setenv("TWOSTAGESEG_TEST_STALL", "segment-Brainstem=raise")
    monkeypatch.setenv("TWOSTAGESEG_DEBUG", "1")
    assert call("segment", ct, "--model", fake_bundle) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_one_line_and_writes_nothing(ct, fake_bundle, tmp_path, monkeypatch, capsys):
    def interrupted(self, volume, organs):
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeSystem, "locate", interrupted)
    assert call("segment", ct, "--model", fake_bundle) == 1
    assert capsys.readouterr().err == "twostageseg: Cancelled. Nothing was written. [E_CANCELLED]\n"
    assert files(tmp_path) == set()


def test_progress_is_one_line_on_a_terminal(ct, fake_bundle, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert call("segment", ct, "--model", fake_bundle) == 0
    shown = capsys.readouterr().err
    assert "\n" not in shown and "segment Parotid_L" in shown
    assert shown.endswith("\r") and shown.rstrip("\r").split("\r")[-1].strip() == ""


def test_models_lists_what_is_installed_and_what_is_damaged(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    write_fake_bundle(tmp_path / "own" / "good", "good")
    bad = write_fake_bundle(tmp_path / "own" / "bad", "bad")
    (bad / "MODEL_CARD.md").unlink()
    assert call("models") == 0
    shown = capsys.readouterr().out
    assert "good 0.0.1: Bundle for tests" in shown
    assert "Parotid_L  accuracy not measured" in shown and "CC0-1.0" in shown and "Tests." in shown
    assert "bad: cannot be used. The bundle's MODEL_CARD.md is missing" in shown
    assert RESEARCH_NOTICE in shown


def test_models_shows_the_measured_accuracy(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    folder = write_fake_bundle(tmp_path / "own" / "good", "good")
    measured = {"Brainstem": {"n": 22, "auto": {"dice": 0.8126, "hd95": 6.25}}, "Parotid_R": "nonsense"}
    write_manifest(folder, {**manifest_values(folder, "good"), "evaluation": {"organs": measured}})
    assert call("models") == 0
    shown = capsys.readouterr().out
    assert "Brainstem  Dice 0.813, HD95 6.2 mm, 22 cases" in shown
    assert "Parotid_R  accuracy not measured" in shown


def test_sample_writes_both_files_or_refuses(tmp_path, capsys):
    assert call("sample", "new/made", "--seed", "3") == 0
    assert {p.name for p in (tmp_path / "new" / "made").iterdir()} == {"sample_ct.nrrd", "sample_reference.seg.nrrd"}
    assert len(read_segmentation(tmp_path / "new" / "made" / "sample_reference.seg.nrrd")) == 7
    assert call("sample", "new/made") == 2
    assert "E_EXISTS" in capsys.readouterr().err


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "TwoStageSegLib.cli", "--version"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, f"twostageseg {__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["segment"], ["locate", "ct.nrrd"]])
def test_incomplete_calls_give_2(arguments, capsys):
    assert call(*arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1

"""``twostageseg review`` and the per-slice findings of ``segment``: figures, pairing, refusals. Files are real."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.fake_reviews import fake_judge
from Testing.harness.fake_system import BOXES_ZYX, HU, fake_volume
from Testing.test_cli import call, fake_machine, files, write_ct
from TwoStageSegLib import RESEARCH_NOTICE, pipeline
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.segnrrd import write_segmentation
from TwoStageSegLib.outputs.segread import read_segments

__all__ = ["fake_machine"]
GEOMETRY = fake_volume().geometry
CODES = "context~SCT^123037004^Anatomical Structure~SCT^45289007^Parotid gland~SCT^24028007^Right~master~^^~^^"


@pytest.fixture
def ct(tmp_path):
    return write_ct(tmp_path / "scan.nrrd")


@pytest.fixture
def judging(monkeypatch):
    """A model that flags the first and the last slice of every organ."""
    monkeypatch.setattr(pipeline.Pipeline, "_judge", fake_judge)


def block(organ: str, up: int = 0, name: str = "") -> Mask:
    z, y, x = BOXES_ZYX[organ]
    return Mask(name or organ, np.ones((4, 4, 4), bool), (z + up, y, x), GEOMETRY)


def seg(path: Path, *masks: Mask, model: str = "", tags: dict[str, dict[str, str]] | None = None) -> Path:
    write_segmentation(path, masks, GEOMETRY, {"TwoStageSeg.Model": f"{model} 0.0.1"} if model else None, tags)
    return path


def review(*arguments, ct: Path) -> int:
    return call("review", *arguments, "--image", ct)


def test_suspicions_need_a_model_and_are_worst_first(ct, fake_bundle, tmp_path, judging, capsys):
    made = seg(tmp_path / "in.seg.nrrd", *(block(o) for o in HU))
    outputs = ("--json", "out.json", "--csv", "out.csv", "--report", "out.html")
    assert review(made, "--model", fake_bundle, *outputs, ct=ct) == 0
    assert files(tmp_path) == {"in.seg.nrrd", "out.json", "out.csv", "out.html"}
    shown = capsys.readouterr()
    assert RESEARCH_NOTICE in shown.out and "Model fake 0.0.1" in shown.out and shown.err == ""
    listed = re.findall(r"^(\d+) +(\w+) +([\d.]+) +([\d.]+) +(.*)$", shown.out, re.M)
    assert [(n, o, f) for n, o, _, f, _ in listed] == [
        ("9", "Brainstem", "0.90"),
        ("11", "Parotid_R", "0.90"),
        ("11", "Parotid_L", "0.90"),
        ("12", "Brainstem", "0.60"),
        ("14", "Parotid_R", "0.60"),
        ("14", "Parotid_L", "0.60"),
    ]
    assert listed[0][2] == "140.0" and listed[0][4] == "area jumps by 60 % from the slice below"
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["schema"] == "twostageseg-review/1"
    slices = found["organs"]["Brainstem"]["review"]["slices"]
    assert [(s["slice"], s["score"], s["flagged"]) for s in slices] == [
        (9, 0.9, True),
        (10, 0.1, False),
        (11, 0.1, False),
        (12, 0.6, True),
    ]
    assert slices[0]["area_mm2"] == 256.0 and found["organs"]["Brainstem"]["agreement"] is None
    assert found["audit"]["model"]["name"] == "fake"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text().partition("\n")[2])))
    every = [(o, s["slice"], s["score"]) for o, v in found["organs"].items() for s in v["review"]["slices"]]
    assert [(r["organ"], int(r["slice"]), float(r["score"])) for r in rows] == every


def test_the_model_that_made_it_is_asked(ct, tmp_path, monkeypatch, judging, capsys):
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "models"))
    write_fake_bundle(tmp_path / "models" / "mine", "mine")
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"), block("Parotid_R", name="Tumour"), model="mine")
    assert review(made, ct=ct) == 0
    shown = capsys.readouterr().out
    assert "Model mine 0.0.1" in shown and "Note: Not an organ of mine: Tumour." in shown


def test_with_a_reference_errors_are_listed(ct, tmp_path, capsys):
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"), block("Parotid_R"), block("Parotid_L"))
    tags = {"the right one": {"TerminologyEntry": CODES}}
    true = seg(tmp_path / "ref.seg.nrrd", block("Brainstem", 2), block("Parotid_R", name="the right one"), tags=tags)
    assert review(made, "--reference", true, "--json", "out.json", "--csv", "out.csv", ct=ct) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found["organs"]) == ["Brainstem", "Parotid_R"]
    stem, right = found["organs"]["Brainstem"], found["organs"]["Parotid_R"]
    assert stem["agreement"]["dice"] == 0.5 and stem["review"]["basis"] == "reference"
    assert (stem["agreement"]["slices_missing"], stem["agreement"]["slices_extra"]) == (2, 2)
    assert [(s["slice"], s["dice"]) for s in stem["review"]["slices"]] == [
        (9, 0.0), (10, 0.0), (11, 1.0), (12, 1.0), (13, 0.0), (14, 0.0),
    ]  # fmt: skip
    assert right["agreement"]["dice"] == 1.0 and right["review"]["flagged"] == 0
    assert found["notices"] == ["Not in the reference: Parotid_L."]
    shown = capsys.readouterr().out
    assert re.search(r"Brainstem +5.1 +4 of 6 +0.500 +10.0 ", shown)  # two slices of 5 mm too low
    assert re.search(r"Parotid_R +5.1 +no flag in 4 +1.000 +0.0 ", shown)
    assert found["audit"]["model"] is None and found["audit"]["parameters"]["with_reference"]


def test_an_organ_that_the_model_did_not_find_is_missing(ct, tmp_path, fake_bundle):
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"))
    true = seg(tmp_path / "ref.seg.nrrd", block("Brainstem"), block("Parotid_R"), block("Parotid_L", name="Larynx"))
    assert review(made, "--reference", true, "--model", fake_bundle, "--json", "out.json", ct=ct) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found["organs"]) == ["Brainstem", "Parotid_R"]  # the model has no larynx: nobody looked for it
    right = found["organs"]["Parotid_R"]
    assert right["agreement"]["outcome"] == "missing" and right["volume_ml"] == 0.0
    assert [s["flagged"] for s in right["review"]["slices"]] == [True] * 4
    assert found["notices"] == ["Only in the reference: Larynx."]


def test_a_label_image_without_names_pairs_with_another(ct, tmp_path, capsys):
    import SimpleITK as sitk

    for name, up in (("a.nrrd", 0), ("b.nrrd", 1)):
        image = sitk.GetImageFromArray(block("Brainstem", up).full().astype(np.uint8))
        image.SetSpacing(GEOMETRY.spacing_xyz_mm)
        image.SetOrigin(GEOMETRY.origin_lps)
        sitk.WriteImage(image, str(tmp_path / name))
    assert review(tmp_path / "a.nrrd", "--reference", tmp_path / "b.nrrd", ct=ct) == 0
    assert re.search(r"Segment_1 +5.1 +2 of 5 +0.750", capsys.readouterr().out)


def refusals(tmp_path: Path) -> dict[str, tuple[list, int, str]]:
    """Arguments, exit code and what is said."""
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"))
    twice = seg(tmp_path / "twice.seg.nrrd", block("Brainstem"), block("Parotid_R", name="brain stem"))
    other = seg(tmp_path / "other.seg.nrrd", block("Brainstem", name="Heart"))
    none = seg(tmp_path / "none.seg.nrrd")
    turned = replace(GEOMETRY, spacing_xyz_mm=(3.0, 4.0, 5.0))
    write_segmentation(tmp_path / "grid.seg.nrrd", [replace(block("Brainstem"), geometry=turned)], turned)
    (tmp_path / "broken.seg.nrrd").write_bytes(made.read_bytes()[:-20])
    return {
        "no model": ([made], 2, "does not say which model made it"),
        "unknown model": ([made, "--model", "nothing"], 2, "No model 'nothing'"),
        "twice": ([twice, "--reference", made], 3, "two segments that are Brainstem"),
        "no pair": ([made, "--reference", other], 3, "Rename them to TG-263 names"),
        "empty": ([none, "--reference", made], 3, "no segment"),
        "grid": ([made, "--reference", tmp_path / "grid.seg.nrrd"], 3, "do not lie on the image's"),
        "broken": ([tmp_path / "broken.seg.nrrd", "--reference", made], 3, "cut short"),
        "missing": ([tmp_path / "no.seg.nrrd", "--reference", made], 3, "no.seg.nrrd"),
        "over the input": ([made, "--reference", made, "--csv", made], 2, "must end in .csv"),
        "suffix": ([made, "--reference", made, "--report", "out.txt"], 2, "must end in .html"),
        "folder": ([made, "--reference", made, "--json", "nowhere/out.json"], 3, "does not exist"),
    }


@pytest.mark.parametrize(
    "case",
    ["no model", "unknown model", "twice", "no pair", "empty", "grid", "broken", "missing", "over the input", "suffix",
     "folder"],
)  # fmt: skip
def test_refusals_are_one_line_and_write_nothing(ct, tmp_path, capsys, case):
    arguments, code, message = refusals(tmp_path)[case]
    before = files(tmp_path)
    wanted = () if "--json" in arguments else ("--json", "out.json")
    assert review(*arguments, *wanted, ct=ct) == code
    shown = capsys.readouterr()
    assert message in shown.err and shown.err.count("\n") == 1 and shown.out == ""
    assert files(tmp_path) == before


def test_a_model_that_cannot_judge_is_said(ct, tmp_path, fake_bundle, capsys):
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"))
    assert review(made, "--model", fake_bundle, ct=ct) == 3
    assert "has nothing to judge these organs by" in capsys.readouterr().err
    heart = seg(tmp_path / "heart.seg.nrrd", block("Brainstem", name="Heart"))
    assert review(heart, "--model", fake_bundle, ct=ct) == 3
    assert "has none of these organs" in capsys.readouterr().err


def test_no_output_is_an_input(ct, tmp_path, capsys):
    made = seg(tmp_path / "in.seg.nrrd", block("Brainstem"))
    link = tmp_path / "link.csv"
    link.symlink_to(made)
    before = made.read_bytes()
    assert review(made, "--reference", made, "--csv", link, "--overwrite", ct=ct) == 2
    assert "is also the input" in capsys.readouterr().err and made.read_bytes() == before


def test_segment_says_what_it_suspects(ct, fake_bundle, tmp_path, judging, capsys):
    outputs = ("-o", "out.seg.nrrd", "--json", "out.json", "--report", "out.html")
    assert call("segment", ct, "--model", fake_bundle, "--device", "cpu", *outputs) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    slices = found["organs"]["Parotid_L"]["review"]["slices"]
    assert [(s["slice"], s["score"]) for s in slices] == [(11, 0.9), (12, 0.1), (13, 0.1), (14, 0.6)]
    assert slices[3]["reasons"] == ["touches the edge of its box", "small"]
    assert found["organs"]["Parotid_L"]["review"]["notes"] == ["a note about the organ"]
    record = found["audit"]
    assert record["parameters"] == {"organs": list(HU), "placed_by_hand": [], "device_wanted": "cpu"}
    assert record["device"] == "CPU: fake, cpu" and record["model"]["sha256"] == found["model"]["sha256"]
    assert len(record["organs"]["Parotid_L"]["flags"]["flagged"]) == 2
    for segment in read_segments(tmp_path / "out.seg.nrrd"):
        carried = json.loads(segment.tags["TwoStageSeg.Audit"])
        assert carried == {**record, "organs": {segment.mask.organ: record["organs"][segment.mask.organ]}}
    assert re.search(r"Brainstem .* 2 of 4", capsys.readouterr().out)


def test_what_segment_wrote_can_be_reviewed(ct, tmp_path, monkeypatch, judging, capsys):
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "models"))
    write_fake_bundle(tmp_path / "models" / "mine", "mine")
    assert call("segment", ct, "--model", "mine", "-o", "out.seg.nrrd") == 0
    assert review(tmp_path / "out.seg.nrrd", ct=ct) == 0
    assert "Note:" not in capsys.readouterr().out

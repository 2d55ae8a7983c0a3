"""Data sets of files by pattern: SegTHOR, StructSeg and PDDCA in their published layout, and one's own pairs.

The folders are made here in the layout that the sets are published in; the sets themselves were not at hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from Testing.training.data.conftest import ct, labels, save
from training.data.files import cases, matches
from training.data.published import Published, published
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.segnrrd import write_segmentation

PAIRS = Published("own", "CT", "files", image="{case}{ext}", labels="{case}.seg.nrrd")


def organs_of(found) -> dict[str, dict[str, int]]:
    """Voxels of each organ of each case."""
    return {c.name: {m.organ: int(m.voxels.sum()) for m in c.read().masks} for c in found}


def test_segthor(tmp_path: Path) -> None:
    for name in ("Patient_01", "Patient_02"):
        save(tmp_path / "train" / name / f"{name}.nii.gz", ct())
        save(tmp_path / "train" / name / "GT.nii.gz", labels(1, 2))
    save(tmp_path / "test" / "Patient_41.nii.gz", ct())  # the test patients' labels are not public
    found = list(cases(tmp_path, published()["segthor"]))
    assert organs_of(found) == {f"Patient_0{i}": {"Esophagus": 144, "Heart": 120} for i in (1, 2)}


@pytest.mark.parametrize("ext", [".nii.gz", ".nii"])
def test_structseg(tmp_path: Path, ext: str) -> None:
    for task in ("Thoracic_OAR", "Lung_GTV"):
        save(tmp_path / task / "1" / f"data{ext}", ct())
        save(tmp_path / task / "1" / f"label{ext}", labels(1, 2))
    assert organs_of(cases(tmp_path, published()["structseg-thoracic-oar"])) == {"1": {"Lung_L": 144, "Lung_R": 120}}
    gtv = next(iter(cases(tmp_path, published()["structseg-lung-gtv"]))).read()
    assert [m.organ for m in gtv.masks] == ["GTV"] and gtv.notices == ["label 2 has no name and is left out"]


def test_pddca_without_a_structure(tmp_path: Path) -> None:
    """A mask file per organ; a structure that a patient lacks is not there, and so unknown."""
    for name, masks in (("0522c0001", {"BrainStem": 1, "Parotid_L": 2}), ("0522c0555", {"BrainStem": 1})):
        save(tmp_path / "part1" / name / "img.nrrd", ct())
        for structure, value in masks.items():
            save(tmp_path / "part1" / name / "structures" / f"{structure}.nrrd", labels(value))
    spec = published()["pddca"]
    assert organs_of(cases(tmp_path, spec)) == {
        "0522c0001": {"Brainstem": 144, "Parotid_L": 120},
        "0522c0555": {"Brainstem": 144},
    }
    assert spec.is_test("0522c0555") and not spec.is_test("0522c0001")


def segmentation(folder: Path, name: str, organs: dict[str, int]) -> None:
    """An image with the ``.seg.nrrd`` that Slicer (or this software) writes beside it."""
    volume = read_volume(save(folder / f"{name}.nrrd", ct()))
    masks = [Mask(organ, labels(value) > 0, (0, 0, 0), volume.geometry).trimmed() for organ, value in organs.items()]
    write_segmentation(folder / f"{name}.seg.nrrd", masks, volume.geometry)


def test_pairs_with_slicer_segmentations(tmp_path: Path) -> None:
    segmentation(tmp_path, "a", {"Parotid_R": 1, "my lesion": 2})
    segmentation(tmp_path / "deeper", "b", {"Parotid_R": 2})
    save(tmp_path / "unlabelled.nrrd", ct())
    assert organs_of(cases(tmp_path, PAIRS)) == {"a": {"Parotid_R": 144, "my_lesion": 120}, "b": {"Parotid_R": 120}}
    assert organs_of(cases(tmp_path, PAIRS, {"my lesion": "GTV"}))["a"] == {"Parotid_R": 144, "GTV": 120}


def test_a_code_says_more_than_a_name(tmp_path: Path) -> None:
    """A segment that a colleague renamed still carries the right parotid's code."""
    segmentation(tmp_path, "a", {"Parotid_R": 1})
    path = tmp_path / "a.seg.nrrd"
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    path.write_bytes(head.replace(b"Name:=Parotid_R", b"Name:=Segment_1") + b"\n\n" + voxels)
    assert organs_of(cases(tmp_path, PAIRS)) == {"a": {"Parotid_R": 144}}


def test_label_images_need_names(tmp_path: Path) -> None:
    save(tmp_path / "x_mr.nrrd", ct())
    save(tmp_path / "x_seg.nrrd", labels(1, 2))
    spec = Published("own", "MR", "files", image="{case}_mr.nrrd", labels="{case}_seg.nrrd")
    assert organs_of(cases(tmp_path, spec, {"1": "Front", "2": "Back"})) == {"x": {"Front": 144, "Back": 120}}
    with pytest.raises(UsageError, match="--names 1=Spleen"):
        next(iter(cases(tmp_path, spec))).read()


def test_patterns() -> None:
    files = ["a/a.nii", "deep/b/b.nii.gz", "c/d.nii", "a/GT.nii"]
    assert [(f, m["case"]) for f, m in matches(files, "{case}/{case}{ext}")] == [
        ("a/a.nii", "a"),
        ("deep/b/b.nii.gz", "b"),
    ]
    for wrong, what in (("img{ext}", "must hold {case}"), ("{case}/{what}.nii", "only")):
        with pytest.raises(UsageError, match=what):
            list(matches(files, wrong))


def test_a_folder_in_another_layout_is_said_so(tmp_path: Path) -> None:
    save(tmp_path / "a" / "ct.nrrd", ct())
    with pytest.raises(UsageError, match=r"No case in .* has both an image like \{case\}/img\{ext\}"):
        list(cases(tmp_path, published()["pddca"]))
    for folder in ("one", "two"):
        save(tmp_path / folder / "x" / "img.nrrd", ct())
    with pytest.raises(UsageError, match="Case 'x' has two images"):
        list(cases(tmp_path, published()["pddca"]))

"""The presets are data: every one is complete, its organs have names of the table or plain words, and splits work."""

from __future__ import annotations

import re

import pytest

from training.data.published import MSD, known, published
from TwoStageSegLib.structures import structures

OUTSIDE_THE_TABLE = (
    "A_Aorta",
    "Hippocampus_Ant",
    "Hippocampus_Post",
    "Lobe_Temporal",
    "Ear_",
    "Joint_TM",
    "Bone_Mandible_",
)


@pytest.mark.parametrize("name", published())
def test_a_preset_is_whole(name: str) -> None:
    spec = published()[name]
    assert spec.layout in ("files", "json", "dicom") and spec.modality in ("CT", "MR") and spec.organs and spec.title
    assert spec.licence and spec.attribution and spec.references
    assert (spec.layout == "files") == ("{case}" in spec.image) == ("{case}" in spec.labels)
    re.compile(spec.test), re.compile(spec.patient)
    for organ, own in spec.organs.items():
        assert own and (organ in structures() or organ.startswith(OUTSIDE_THE_TABLE)), organ
    values = [v for own in spec.organs.values() for v in own]
    assert len(values) == len(set(values))


def test_the_sets_of_the_papers_are_there() -> None:
    sets = {"segthor", "lctsc", "structseg-lung-gtv", "structseg-naso-gtv", "pddca"}
    tasks = {MSD + t for t in ("spleen", "pancreas", "prostate", "liver", "heart")}  # papers/002
    assert sets <= set(known()) and tasks <= set(published()) and not tasks & set(known())


def test_the_published_test_cases() -> None:
    pddca = published()["pddca"]
    assert sum(pddca.is_test(f"0522c{n:04d}") for n in range(1000)) == 10
    assert published()["lctsc"].is_test("LCTSC-Test-S3-204") and not published()["lctsc"].is_test("LCTSC-Train-S3-001")
    assert not published()["segthor"].is_test("Patient_01")


def test_structseg_has_22_and_6_organs_in_order() -> None:
    for name, count in (("structseg-han-oar", 22), ("structseg-thoracic-oar", 6)):
        assert [v for own in published()[name].organs.values() for v in own] == [str(i + 1) for i in range(count)]

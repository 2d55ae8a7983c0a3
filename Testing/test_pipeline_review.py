"""The pipeline judges what it segments, and what a person made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.manifest import ReviewSpec, SuspicionSpec
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Review
from TwoStageSegLib.review.findings import Basis
from TwoStageSegLib.sample.phantom import generate
from TwoStageSegLib.volume import Volume

ORGAN = "Parotid_L"


@pytest.fixture(scope="module")
def volume() -> Volume:
    return generate(3).volume


@pytest.fixture
def pipeline() -> Pipeline:
    model = load_model("phantom")
    term = {"area_step": [0.5, 0.5, 1.0]}
    spec = ReviewSpec(
        0.0, 3.0, SuspicionSpec(-1.0, term, 0.3), SuspicionSpec(-1.0, {"disagreement": [0.1, 0.1, 1.0]}, 0.3)
    )
    organs = [replace(o, review=spec if o.name == ORGAN else None) for o in model.manifest.organs]
    return Pipeline(replace(model, manifest=replace(model.manifest, organs=organs)), "cpu")


def test_organs_with_a_spec_are_judged(pipeline: Pipeline, volume: Volume) -> None:
    result = pipeline.run(volume, [ORGAN, "Brainstem"])
    by_name = {o.organ: o for o in result.organs}
    review = by_name[ORGAN].review
    assert review is not None
    assert review.basis == Basis.SUSPICION
    assert by_name["Brainstem"].review is None
    mask = by_name[ORGAN].mask
    assert mask is not None
    areas = mask.full().sum((1, 2)) * np.prod(volume.geometry.spacing_zyx_mm[1:])
    for finding in review.slices:
        assert finding.area_mm2 == pytest.approx(areas[finding.index])
    assert by_name[ORGAN].seconds["review"] > 0


def test_off_judges_nothing_and_full_looks_twice(pipeline: Pipeline, volume: Volume) -> None:
    assert pipeline.run(volume, [ORGAN], review=Review.OFF).organs[0].review is None
    quick = pipeline.run(volume, [ORGAN]).organs[0].review
    full = pipeline.run(volume, [ORGAN], review=Review.FULL).organs[0].review
    assert quick is not None and full is not None
    assert [f.score for f in quick.slices] != [f.score for f in full.slices]


def test_an_edit_changes_the_findings_of_the_slices_that_were_edited(pipeline: Pipeline, volume: Volume) -> None:
    organ = pipeline.run(volume, [ORGAN]).organs[0]
    assert organ.mask is not None and organ.review is not None
    part = organ.mask.trimmed()
    middle = part.voxels.shape[0] // 2
    voxels = part.voxels.copy()
    voxels[middle] = False
    edited = Mask(ORGAN, voxels, part.start_zyx, part.geometry)
    review = pipeline.review(volume, edited, organ.region)
    assert review is not None
    changed = part.start_zyx[0] + middle
    assert review.at(changed).area_mm2 == 0
    assert review.at(changed).reasons[0].startswith("gap")
    assert review.at(changed - 3) == organ.review.at(changed - 3)


def test_a_mask_from_elsewhere_is_judged_in_its_own_box(pipeline: Pipeline, volume: Volume) -> None:
    mask = pipeline.run(volume, [ORGAN]).organs[0].mask
    assert mask is not None
    fresh = Pipeline(pipeline.model, "cpu")
    review = fresh.review(volume, mask)
    assert review is not None
    assert len(review.slices) >= mask.trimmed().voxels.shape[0]
    empty = Mask(ORGAN, np.zeros((1, 1, 1), bool), (0, 0, 0), mask.geometry)
    assert fresh.review(volume, empty) is None


def test_the_shipped_bundle_judges_all_its_organs() -> None:
    model = load_model("hn-oar-ct")
    assert all(o.review is not None for o in model.manifest.organs)
    assert Path(model.folder).name == "hn-oar-ct"

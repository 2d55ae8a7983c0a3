"""A scan put where a scanner has it: the body as it was, couch and noise around it."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.prepared import Case, load_cases
from training.scanner import FIELD_MM, PIXELS, embed, embedded_mask, own_voxels
from TwoStageSegLib.volume import Volume


@pytest.fixture(scope="module")
def small(prepared) -> Case:
    return load_cases(prepared, "validation")[0]


@pytest.fixture(scope="module")
def scan(small) -> Volume:
    return embed(small)


def test_it_is_a_planning_cts_grid(small, scan):
    assert scan.geometry.shape_zyx == (small.ct.shape[0], PIXELS, PIXELS)
    assert scan.geometry.extent_zyx_mm[1:] == pytest.approx([FIELD_MM, FIELD_MM])
    assert scan.geometry.spacing_zyx_mm[0] == small.spacing_zyx_mm[0]
    assert scan.voxels.dtype == np.int16 and scan.modality == "CT"


@pytest.mark.parametrize(
    ("organ", "ml"), [("Brainstem", 512 * 0.04), ("Parotid_R", 240 * 0.04), ("Parotid_L", 240 * 0.04)]
)
def test_a_mask_keeps_its_volume(small, scan, organ, ml):
    mask = embedded_mask(small, organ, scan)
    assert mask.volume_ml == pytest.approx(ml, rel=0.03)


def test_the_organs_lie_on_their_own_hu(small, scan):
    """Brainstem 140 HU, parotids 90, body 40: the scan under a mask is the organ, but for noise and its border."""
    for organ, hu in (("Brainstem", 140), ("Parotid_R", 90), ("Parotid_L", 90)):
        mask = embedded_mask(small, organ, scan)
        z, y, x = mask.slices_zyx
        inner = scan.voxels[z.start + 1 : z.stop - 1, y.start + 5 : y.stop - 5, x.start + 5 : x.stop - 5]
        assert float(inner.mean()) == pytest.approx(hu, abs=1.5)


def test_the_body_is_unchanged_and_the_couch_is_behind_it(small, scan):
    from training.scanner import _grid
    from TwoStageSegLib.grid import sample

    before = sample(small.ct, _grid(small), -1024.0)
    share = sample((small.outside == 0).astype(np.float32), _grid(small), 0.0)
    inside, outside = share > 0.999, share == 0
    difference = scan.voxels[inside] - before[inside]
    assert abs(float(difference.mean())) < 0.5
    assert float(difference.std()) == pytest.approx(18, abs=1)  # the noise alone
    dense = outside & (scan.voxels > -400)  # nothing outside was denser than air before
    assert dense.mean() > 0.001
    back = np.flatnonzero(inside.any((0, 2)))[-1]
    rows = dense[:, back + 1 :].sum((0, 2)) / dense.shape[0]  # dense pixels of each row behind the back
    assert rows.max() > 100  # the couch's skin, 450 pixels wide; a curved one crosses many rows
    in_front = dense[:, : np.flatnonzero(inside.any((0, 2)))[0]]
    assert in_front.mean() < 1e-4


def test_the_same_case_gives_the_same_scan_and_another_does_not(prepared, small, scan):
    assert np.array_equal(embed(small).voxels, scan.voxels)
    other = load_cases(prepared, "test")[0]
    assert not np.array_equal(embed(other).voxels, scan.voxels)


def test_the_reference_comes_back_to_the_cases_own_voxels(case) -> None:
    there = embedded_mask(case, "Brainstem", embed(case))
    back = own_voxels(there, case)
    truth = case.labels == case.value("Brainstem")
    overlap = 2 * (back.full() & truth).sum() / (back.full().sum() + truth.sum())
    assert overlap > 0.97

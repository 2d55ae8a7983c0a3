"""The crop, slices in the scan's own order whatever the file's, and profiles."""

from __future__ import annotations

import time

import numpy as np
import pytest

from Testing.harness.orientations import all_48
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import SliceKind, compare, cropped, resampled, slice_agreements, together

GRID = Geometry((6, 5, 4), (-3.0, 8.0, 40.0), (3.0, 1.0, 2.0))


def test_cropped_is_the_box_of_both_as_views():
    a, b = np.zeros((2, 9, 9, 9), bool)
    a[2, 3, 4] = b[5, 1, 6] = True
    one, two = cropped(a, b)
    assert one.shape == two.shape == (4, 3, 3)
    assert one[0, 2, 0] and two[3, 0, 2] and np.shares_memory(one, a)
    assert cropped(a, np.zeros_like(a))[1].shape == (1, 1, 1)
    assert cropped(np.zeros_like(a), np.zeros_like(a))[0].size == 0


def test_cropped_of_an_array_that_is_not_contiguous():
    a, b = np.zeros((2, 7, 8, 9), bool)
    a[1, 2, 3] = b[4, 5, 6] = True
    assert cropped(a.transpose(2, 0, 1), b.transpose(2, 0, 1))[0].shape == (4, 4, 4)


def test_contours_on_different_grids_are_refused():
    moved = Geometry(GRID.shape_zyx, (-3.0, 8.0, 41.0), GRID.spacing_xyz_mm)
    rounded = Geometry(GRID.shape_zyx, (-3.0, 8.0, 40.001), GRID.spacing_xyz_mm)
    one = np.ones((1, 1, 1), bool)
    with pytest.raises(InputRefused, match="different voxel grids") as refused:
        compare(Mask("Larynx", one, (1, 1, 1), moved), Mask("Larynx", one, (1, 1, 1), GRID))
    assert refused.value.code == "E_GRID"
    assert together(Mask("Larynx", one, (1, 1, 1), rounded), Mask("Larynx", one, (1, 1, 1), GRID))[0].sum() == 1


def test_slices_are_those_of_the_standard_array_in_every_storage_order():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, GRID.shape_zyx)  # 1: mask, 2: reference, 3: both
    labels[0] = 0
    expected = compare(*(Mask("Lens_L", np.isin(labels, k), (0, 0, 0), GRID) for k in ((1, 3), (2, 3))))
    assert [s.index for s in expected.slices] == [1, 2, 3, 4, 5]
    for turned, geometry in all_48(labels, GRID):
        masks = (Mask("Lens_L", np.isin(turned, k), (0, 0, 0), geometry) for k in ((1, 3), (2, 3)))
        found = compare(*(m.trimmed() for m in masks))
        assert found.slices == expected.slices
        assert (found.dice, found.path) == (expected.dice, expected.path)
        assert found.hd95_mm == pytest.approx(expected.hd95_mm)
        assert found.surface_dice == pytest.approx(expected.surface_dice, abs=1e-6)


def test_kinds_of_slices():
    mask, reference = np.zeros((2, 6, 1, 10), bool)
    reference[1, 0, :4] = True  # missing
    mask[2, 0, :4] = True  # extra
    mask[3, 0, :5], reference[3, 0, 4:9] = True, True  # 1 of 5 inside
    mask[4, 0, :4], reference[4, 0, 3:9] = True, True  # 1 of 4 inside: the limit itself is no error
    found = slice_agreements(mask, reference)
    assert [(s.index, s.kind) for s in found] == [
        (1, SliceKind.MISSING), (2, SliceKind.EXTRA), (3, SliceKind.WRONG), (4, SliceKind.DRAWN),
    ]  # fmt: skip
    assert [s.dice for s in found] == [0, 0, pytest.approx(0.2), pytest.approx(0.2)]


def test_profile():
    np.testing.assert_allclose(resampled([3, 4, 5], [0.0, 1.0, 0.5], 5), [0, 0.5, 1, 0.75, 0.5])
    np.testing.assert_allclose(resampled([2, 6], [0.0, 1.0], 5), [0, 0.25, 0.5, 0.75, 1])  # a gap is bridged
    np.testing.assert_allclose(resampled([7], [0.3], 4), 0.3)
    with pytest.raises(ValueError, match="no profile"):
        resampled([], [], 4)


def test_a_planning_ct_takes_about_a_second():
    """512 x 512 x 150 with an organ of 1.7 litres (the issue's size); 0.6 s alone on one core, 3 s leave room."""
    z, y, x = np.ogrid[:150, :512, :512]
    a = ((z - 75) / 50) ** 2 + ((y - 250) / 80) ** 2 + ((x - 250) / 100) ** 2 <= 1
    geometry = Geometry(a.shape, (0.0, 0.0, 0.0), (0.98, 0.98, 2.5))
    mask, reference = Mask("Lung_L", np.roll(a, 2, 1), (0, 0, 0), geometry), Mask("Lung_L", a, (0, 0, 0), geometry)
    started = time.process_time()
    found = compare(mask, reference)
    assert time.process_time() - started < 3
    assert 0.97 < found.dice < 0.99 and 1 < found.hd95_mm < 2

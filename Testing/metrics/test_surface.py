"""Agreement of masks, worked out by hand, and against MONAI."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import dice, hd95, surface_distances, together

SPACING = (2.5, 1.0, 3.0)  # z, y, x


def voxels(*where) -> np.ndarray:
    out = np.zeros((9, 9, 9), bool)
    for index in where:
        out[index] = True
    return out


def block(z, y, x) -> np.ndarray:
    return voxels((slice(*z), slice(*y), slice(*x)))


EMPTY = voxels()


def test_dice_by_hand():
    a, b = block((0, 2), (0, 2), (0, 2)), block((1, 3), (0, 2), (0, 2))  # 8 and 8 voxels, 4 shared
    assert dice(a, b) == 0.5
    assert dice(a, a) == 1.0
    assert dice(a, block((0, 1), (0, 1), (0, 1))) == pytest.approx(2 * 1 / (8 + 1))
    assert dice(a, block((5, 6), (5, 6), (5, 6))) == 0.0


def test_dice_of_empty_masks():
    assert dice(EMPTY, EMPTY) == 1.0
    assert dice(EMPTY, block((0, 1), (0, 1), (0, 1))) == 0.0


def test_hd95_of_two_voxels_is_their_distance_in_mm():
    # 2 slices, 1 row, 3 columns apart: 5, 1 and 9 mm
    assert hd95(voxels((1, 2, 3)), voxels((3, 3, 6)), SPACING) == pytest.approx(math.sqrt(25 + 1 + 81))


@pytest.mark.parametrize(("axis", "expected"), [(0, 2.5), (1, 1.0), (2, 3.0)])
def test_hd95_of_a_plate_moved_by_one_voxel_is_that_axis_spacing(axis, expected):
    plate = np.zeros((9, 9, 9), bool)
    index = [slice(None)] * 3
    index[axis] = slice(4, 5)
    plate[tuple(index)] = True
    assert hd95(plate, np.roll(plate, 1, axis), SPACING) == pytest.approx(expected)


def test_hd95_is_the_larger_direction_and_ignores_the_farthest_twentieth():
    line = voxels((4, 4, slice(0, 9)))
    short = voxels((4, 4, slice(0, 5)))  # all on the line; the line's last four are 3, 6, 9, 12 mm away
    # sorted distances of the line's nine: 0 0 0 0 0 3 6 9 12; the 95th percentile is at 0.95 * 8 = 7.6: 9 + 0.6 * 3
    assert hd95(line, short, SPACING) == pytest.approx(10.8)
    assert hd95(short, line, SPACING) == pytest.approx(10.8)


def test_hd95_of_empty_masks():
    full = block((1, 3), (1, 3), (1, 3))
    assert hd95(EMPTY, EMPTY, SPACING) == 0.0
    assert hd95(full, EMPTY, SPACING) == hd95(EMPTY, full, SPACING) == math.inf


def test_the_surface_is_six_connected_and_the_image_border_counts_as_outside():
    cube = block((2, 7), (2, 7), (2, 7))  # 125 voxels, 27 of them inside
    forth, back = surface_distances(cube, cube, SPACING)
    assert len(forth) == len(back) == 125 - 27
    assert not forth.any()
    everything = np.ones((4, 4, 4), bool)
    assert len(surface_distances(everything, everything, SPACING)[0]) == 64 - 8


def test_together_puts_both_in_their_common_crop():
    geometry = Geometry((20, 20, 20), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    a = Mask("x", np.ones((2, 3, 4), bool), (5, 6, 7), geometry)
    b = Mask("x", np.ones((1, 1, 1), bool), (9, 6, 0), geometry)
    one, two = together(a, b)
    assert one.shape == two.shape == (5 + 2, 3 + 2, 11 + 2)
    assert one.sum() == 24 and two.sum() == 1
    assert one[1:3, 1:4, 8:12].all() and two[5, 1, 1]
    assert dice(one, two) == dice(a.full(), b.full())
    assert hd95(one, two, SPACING) == hd95(a.full(), b.full(), SPACING)


@pytest.mark.filterwarnings("ignore::FutureWarning:monai")
@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_monai(seed):
    pytest.importorskip("monai")
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance

    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(2, 14, 18, 16)), (0, 2, 2, 2))
    a, b = smooth > np.quantile(smooth, 0.8)
    one, two = (torch.from_numpy(m)[None, None] for m in (a, b))
    assert a.any() and b.any() and not np.array_equal(a, b)
    theirs = compute_hausdorff_distance(one, two, include_background=True, percentile=95, spacing=SPACING)
    assert hd95(a, b, SPACING) == pytest.approx(float(theirs), rel=1e-5)
    assert dice(a, b) == pytest.approx(float(compute_dice(one, two)), rel=1e-5)

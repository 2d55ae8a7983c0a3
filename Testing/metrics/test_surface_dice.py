"""Surface Dice by hand, the area of surface elements, and the table of tolerances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from TwoStageSegLib.metrics import surface_dice, tolerance_mm
from TwoStageSegLib.metrics.surfels import areas_mm2

SPACING = (2.0, 1.0, 3.0)
EMPTY = np.zeros((6, 6, 6), bool)


def voxel(z, y, x) -> np.ndarray:
    out = EMPTY.copy()
    out[z, y, x] = True
    return out


def test_of_empty_masks():
    assert surface_dice(EMPTY, EMPTY, SPACING, 2.0) == 1.0
    assert surface_dice(EMPTY, voxel(1, 1, 1), SPACING, 2.0) == surface_dice(voxel(1, 1, 1), EMPTY, SPACING, 2.0) == 0.0


def test_two_voxels_one_above_the_other_share_half_of_their_corners():
    # a voxel's surface sits at its 8 corners, all of one area; 4 are common, the other 4 of each are 2 mm away
    a, b = voxel(1, 2, 2), voxel(2, 2, 2)
    assert surface_dice(a, b, SPACING, 1.9) == pytest.approx(0.5)
    assert surface_dice(a, b, SPACING, 2.0) == 1.0  # as far as the tolerance is within it
    assert surface_dice(a, a, SPACING, 0.0) == 1.0


def test_weighs_by_area_not_by_number_of_elements():
    """A plate of 4 x 4 x 1 voxels with and without its far half: what differs lies on large and on small elements."""
    plate, half = EMPTY.copy(), EMPTY.copy()
    plate[2, 1:5, 1:5] = True
    half[2, 1:5, 1:3] = True
    # corners of the whole plate: 5 x 5 above and below. Elements beyond a tolerance of 0: x = 3, 4 and the rim x = 2
    # of the half, whose corners are corners of the plate as well: at 0 mm
    table = areas_mm2(SPACING)
    flat = 1.0 * 3.0  # one pixel of plate, seen from above: y x spacing
    edge_y, edge_x = math.hypot(2.0, 1.0) / 2, math.hypot(2.0, 3.0) / 2
    # element areas: 9 flat ones, 3 on each edge along x (cut over y and z), 3 along y, 4 outer corners; per side
    corner = table[1]
    side = 9 * flat + 6 * edge_y * 3.0 + 6 * edge_x * 1.0 + 4 * corner
    half_side = 3 * flat + 2 * edge_y * 3.0 + 6 * edge_x * 1.0 + 4 * corner
    # plate elements within 0 mm of the half's: columns x = 0, 1, 2 of 5
    near = 2 * (6 * flat + 4 * edge_y * 3.0 + 3 * edge_x * 1.0 + 2 * corner)
    expected = (near + 2 * half_side) / (2 * side + 2 * half_side)
    assert surface_dice(plate, half, SPACING, 0.0) == pytest.approx(expected, rel=1e-6)
    assert surface_dice(half, plate, SPACING, 0.0) == pytest.approx(expected, rel=1e-6)


def test_areas_of_plain_elements():
    table = areas_mm2(SPACING)
    assert table[0] == table[255] == 0
    assert table[0b00001111] == pytest.approx(1.0 * 3.0)  # the lower four: a flat piece, y x x
    # one corner: the triangle through the middles of its three edges
    a, b, c = math.hypot(1, 0.5), math.hypot(0.5, 1.5), math.hypot(1, 1.5)
    s = (a + b + c) / 2
    assert table[1] == pytest.approx(math.sqrt(s * (s - a) * (s - b) * (s - c)))


def test_a_mask_and_its_complement_have_one_surface():
    table = areas_mm2(SPACING)
    np.testing.assert_allclose(table, table[::-1])
    assert (table[1:255] > 0).all()


def test_tolerances():
    assert tolerance_mm("Parotid_L") == tolerance_mm("Parotid_R") == tolerance_mm("Parotid") == 3.4
    assert tolerance_mm("Lens_L") == 1.0 and tolerance_mm("SpinalCord") == 1.8
    assert tolerance_mm("Pituitary") == tolerance_mm("Hippocampus_R") == 1.0
    assert tolerance_mm("GTV") == tolerance_mm("Esophagus") == 2.0

"""The body is found in air, on a couch, and where there is none."""

from __future__ import annotations

import numpy as np

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.systems.body import BEYOND_MM, body_box, something_box
from TwoStageSegLib.volume import Volume


def scan() -> np.ndarray:
    coarse = np.full((20, 40, 50), -1000, np.float32)
    coarse[:, 10:25, 15:35] = 40
    return coarse


def test_box_is_two_voxels_wider_than_the_body() -> None:
    assert body_box(scan()) == (slice(0, 20), slice(8, 27), slice(13, 37))


def test_a_thin_couch_shell_is_let_go() -> None:
    coarse = scan()
    coarse[:, 26, 2:48] = 100
    assert body_box(coarse) == (slice(0, 20), slice(8, 27), slice(13, 37))


def test_small_things_elsewhere_do_not_count() -> None:
    coarse = scan()
    coarse[3:8, 35:39, 40:45] = 300
    assert body_box(coarse) == (slice(0, 20), slice(8, 27), slice(13, 37))


def test_air_has_no_body() -> None:
    assert body_box(np.full((5, 6, 7), -1000, np.float32)) is None


def fine_scan(values: np.ndarray) -> Volume:
    """Voxels of 2 x 1 x 1 mm (z, y, x)."""
    return Volume(values, Geometry(values.shape, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0)), "CT")


def test_the_look_leaves_air_out_and_keeps_what_lies_near() -> None:
    voxels = np.full((60, 200, 220), -1000, np.int16)
    voxels[20:40, 80:120, 96:130] = 40
    low, high = something_box(fine_scan(voxels))
    # seen at every fourth slice and every eighth row and column; 30 mm are 15 slices
    assert low.tolist() == [20 - BEYOND_MM / 2, 80 - BEYOND_MM, 96 - BEYOND_MM]
    assert high.tolist() == [36 + BEYOND_MM / 2, 112 + BEYOND_MM, 128 + BEYOND_MM]


def test_the_look_never_reaches_beyond_the_scan() -> None:
    low, high = something_box(fine_scan(np.full((10, 20, 30), 40, np.int16)))
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [9, 19, 29]


def test_where_nothing_is_seen_the_whole_scan_counts() -> None:
    low, high = something_box(fine_scan(np.full((10, 20, 30), -1000, np.int16)))
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [9, 19, 29]

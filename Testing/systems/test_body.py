"""The body is found in air, on a couch, and where there is none."""

from __future__ import annotations

import numpy as np

from TwoStageSegLib.systems.body import body_box


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

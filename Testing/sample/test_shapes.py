"""Solids of the synthetic patient: signed distance, bounds; pose: the 1-D tables against the plain formula."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.sample.part import Chance
from TwoStageSegLib.sample.pose import Pose, draw_pose
from TwoStageSegLib.sample.shapes import Block, Ellipsoid, Grown, Union, Wall, column

SHAPES = [
    Ellipsoid((1, 2, 3), (10, 20, 15)),
    Ellipsoid((1, 2, 3), (10, 20, 5), 0.6),
    Block((0, 0, 0), (10, 5, 8), 0.4),
    column([(-20, 0, 0, 8, 5), (0, 4, 2, 10, 6), (25, 10, -5, 6, 9)]),
    Wall(np.array([(-20, 0, -5, 5), (0, 10, -8, 4), (20, 0, -5, 6)], float), 4.0),
    Grown(Ellipsoid((0, 0, 0), (10, 10, 10)), 3.0),
    Union((Ellipsoid((0, 0, 0), (10, 10, 10)), Ellipsoid((12, 0, 0), (10, 10, 10))), fillet_mm=6.0),
]


def point(x: float, y: float, z: float):
    return tuple(np.full((1, 1, 1), v, np.float32) for v in (x, y, z))


def lattice(step: float = 2.0):
    axis = np.arange(-46, 47, step, dtype=np.float32)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    return x, y, z


def test_distance_of_a_sphere_is_exact():
    sphere = Ellipsoid((0, 0, 0), (10, 10, 10))
    assert sphere.distance(*point(13, 0, 0)).item() == pytest.approx(3, abs=1e-4)
    assert sphere.distance(*point(0, 0, -6)).item() == pytest.approx(-4, abs=1e-4)


def test_a_positive_pitch_lifts_the_back():
    plate = Ellipsoid((0, 0, 0), (10, 20, 2), 0.5)
    assert plate.distance(*point(0, 15 * np.cos(0.5), 15 * np.sin(0.5))).item() < 0  # y points to the back
    assert plate.distance(*point(0, 15 * np.cos(0.5), -15 * np.sin(0.5))).item() > 0


def test_distance_of_a_column_is_measured_across_and_at_its_ends():
    pillar = column([(-20, 5, 0, 8, 8), (20, 5, 0, 8, 8)])
    assert pillar.distance(*point(17, 0, 0)).item() == pytest.approx(4, abs=1e-3)
    assert pillar.distance(*point(5, 0, 23)).item() == pytest.approx(3, abs=1e-3)


def test_a_wall_follows_its_path_and_its_heights():
    wall = Wall(np.array([(0, 0, 0, 10), (10, 0, 0, 20)], float), 2.0)
    assert wall.distance(*point(5, 3, 5)).item() == pytest.approx(1, abs=1e-4)
    assert wall.distance(*point(5, 0, 17)).item() == pytest.approx(2, abs=1e-4)  # the top is at 15 half way


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: type(s).__name__)
def test_bounds_hold_the_shape_and_every_part_of_it(shape):
    x, y, z = lattice()
    inside = shape.distance(x, y, z) < 0
    assert inside.any()
    for z0, z1 in ((-np.inf, np.inf), (-4.0, 4.0)):
        here = inside & (z >= z0) & (z <= z1)
        lo, hi = shape.bounds(z0, z1)
        for axis, values in enumerate((x, y, z)):
            assert values[here].min() >= lo[axis] - 1e-3
            assert values[here].max() <= hi[axis] + 1e-3


def test_a_union_leaves_out_only_what_is_far_away():
    parts = (Ellipsoid((0, 0, 0), (10, 10, 10)), Ellipsoid((0, 0, 18), (9, 9, 9)))
    x, y, z = lattice()
    whole, slab = Union(parts, 5.0).distance(x, y, z), slice(18, 24)
    part = Union(parts, 5.0).distance(x[slab], y[slab], z[slab])
    np.testing.assert_array_equal(part < 0, whole[slab] < 0)


def test_pose_without_bends_is_the_matrix():
    matrix = np.array([[0.9, 0.1, 0.0], [-0.1, 0.9, 0.2], [0.0, -0.2, 1.1]])
    x, y, z = Pose(matrix, 1.0, 0.0, 0.0, ()).to_anatomy(np.array([3.0, 4.0]), np.array([5.0]), np.array([-70.0]))
    np.testing.assert_allclose([x[0, 0, 1], y[0, 0, 1], z[0, 0, 1]], matrix @ (4, 5, -70), rtol=1e-6)


def test_neck_stretch_and_flexion_act_below_the_skull_only():
    pose = Pose(np.eye(3), 1.1, 10.0, 0.0, ())
    x, y, z = pose.to_anatomy(np.array([0.0]), np.array([0.0]), np.array([-200.0, -60.0, 30.0]))
    np.testing.assert_allclose(z.ravel(), (-60 - 140 / 1.1, -60, 30), rtol=1e-6)
    np.testing.assert_allclose(y.ravel(), (-10, 0, 0), atol=1e-5)
    assert not x.any()


def test_drawn_poses_never_mirror_the_patient():
    for seed in range(20):
        matrix = draw_pose(Chance(np.random.default_rng(seed))).matrix
        assert 0.75 < np.linalg.det(matrix) < 1.35
        assert np.diag(matrix).min() > 0.8

"""Polygons to voxels: areas by hand, holes by XOR, keyholes, paths through voxel centres; against a plain rule."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.contours import polygon_mask, slice_mask


def box(y0: float, y1: float, x0: float, x1: float) -> np.ndarray:
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])


def test_a_rectangle_between_centres() -> None:
    inside = polygon_mask(box(1.5, 4.5, 2.5, 3.5), (8, 8))
    assert np.argwhere(inside).tolist() == [[2, 3], [3, 3], [4, 3]]


def test_a_path_through_centres_keeps_its_area_and_shares_nothing() -> None:
    left, right = (polygon_mask(box(1, 4, a, a + 2), (8, 8)) for a in (1, 3))
    assert left.sum() == right.sum() == 6 and not (left & right).any()
    assert np.argwhere(left).min(0).tolist() == [1, 1]


def test_points_outside_are_cut_off() -> None:
    assert polygon_mask(box(-5, 2.5, -9, 1.5), (8, 8)).sum() == 3 * 2
    assert not polygon_mask(box(20, 30, 1, 5), (8, 8)).any()
    assert polygon_mask(box(-1, 9, -1, 9), (8, 8)).all()


def test_the_direction_does_not_matter() -> None:
    points = np.array([[0.3, 1.2], [6.1, 2.4], [3.3, 7.7]])
    assert np.array_equal(polygon_mask(points, (8, 8)), polygon_mask(points[::-1], (8, 8)))


def test_a_keyhole_is_a_hole() -> None:
    """Outer square, in along a slanted channel, round the hole, out along the same channel."""
    outer, hole = box(0.5, 8.5, 0.5, 8.5), box(3.5, 5.5, 3.5, 5.5)
    keyhole = np.concatenate([outer, outer[:1], hole[::-1], hole[-1:]])
    expected = np.zeros((10, 10), bool)
    expected[1:9, 1:9] = True
    expected[4:6, 4:6] = False
    assert np.array_equal(polygon_mask(keyhole, (10, 10)), expected)


def test_nested_contours_alternate() -> None:
    """64 voxels, less a hole of 36, plus an island of 4."""
    inside, odd = slice_mask([box(0.5, 8.5, 0.5, 8.5), box(1.5, 7.5, 1.5, 7.5), box(3.5, 5.5, 3.5, 5.5)], (10, 10))
    assert inside.sum() == 64 - 36 + 4 and odd == []


def test_the_same_contour_twice_counts_once() -> None:
    inside, odd = slice_mask([box(0.5, 3.5, 0.5, 3.5)] * 2, (8, 8))
    assert inside.sum() == 9 and odd == ["a contour is there twice; it counts once"]


def test_contours_that_cross_are_their_union() -> None:
    inside, odd = slice_mask([box(0.5, 4.5, 0.5, 4.5), box(2.5, 6.5, 2.5, 6.5)], (8, 8))
    assert inside.sum() == 16 + 16 - 4 and odd == ["contours cross; they count as their union"]


def by_rule(points: np.ndarray, y: float, x: float) -> bool:
    """Even-odd, one voxel at a time: how many edges a ray to the left crosses."""
    crossings = 0
    for (y0, x0), (y1, x1) in zip(points, np.roll(points, -1, 0), strict=True):
        if (y0 <= y) != (y1 <= y):
            crossings += x0 + (y - y0) / (y1 - y0) * (x1 - x0) <= x
    return crossings % 2 == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 9), st.floats(-2, 9)), min_size=3, max_size=9))
def test_any_polygon_is_even_odd_at_the_centres(corners: list[tuple[float, float]]) -> None:
    points = np.round(np.array(corners), 3) + 0.0137  # off the centres, where rounding decides
    inside = polygon_mask(points, (7, 7))
    assert all(inside[y, x] == by_rule(points, y, x) for y in range(7) for x in range(7))

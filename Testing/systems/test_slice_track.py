"""Tracks of centres, on heatmaps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.systems.slice_draw import Drawing, chunk_starts
from TwoStageSegLib.systems.slice_heat import Heat
from TwoStageSegLib.systems.slice_track import (
    Track,
    boxed_track,
    followed_track,
    found_track,
    interpolated,
    refined_track,
)


def heat(peaks: dict[int, tuple[int, int, float]], depth: int = 20, first: int = 5) -> Heat:
    """Slices 5..24, cells of 4 voxels, the first one's middle at (10, 20); peaks: slice -> (row, column, height)."""
    maps = np.full((depth, 12, 12), 0.01, np.float32)
    for z, (row, column, height) in peaks.items():
        maps[z - first, row, column] = height
    return Heat(first, {"O": maps}, (10.0, 20.0), (4.0, 4.0))


def test_a_peak_between_cells_by_hand():
    """0.8 and 0.4 side by side: the centroid is a third of the way, but for seven cells of 0.01."""
    given = heat({9: (5, 6, 0.8)})
    given.maps["O"][4, 5, 7] = 0.4
    height, (y, x) = given.peak("O", 9)
    column = (0.8 * 6 + 0.4 * 7 + 0.01 * (3 * 5 + 2 * 6 + 2 * 7)) / (1.2 + 0.07)
    assert height == pytest.approx(0.8)
    assert (y, x) == (pytest.approx(10 + 4 * 5), pytest.approx(20 + 4 * column, abs=1e-4))


def test_a_peak_in_the_corner_and_slices_that_are_not_there():
    given = heat({9: (0, 11, 1.0)})
    height, (y, x) = given.peak("O", 9)
    assert height == 1.0
    assert 10 <= y < 10.5 and 63.5 < x <= 64
    assert given.peak("O", 4)[0] == given.peak("O", 25)[0] == 0.0


def test_a_peak_within_bounds_only():
    given = heat({9: (2, 2, 0.9)})
    given.maps["O"][4, 8, 8] = 0.5
    height, (y, x) = given.peak("O", 9, (30.0, 40.0), (60.0, 60.0))
    assert (height, round(y), round(x)) == (0.5, 42, 52)
    assert given.peak("O", 9, (1.0, 1.0), (2.0, 2.0))[0] == 0.0


def test_the_run_of_slices_with_gaps_filled():
    given = heat({8: (4, 4, 0.8), 9: (4, 4, 0.8), 11: (6, 4, 0.6), 12: (6, 4, 0.6)})
    track = found_track(given, "O", 0.5, gap=1)
    assert list(track.slices) == [8, 9, 10, 11, 12]
    assert np.allclose(track.centres[:, 0], [26, 26, 30, 34, 34], atol=0.3)
    assert track.score == pytest.approx(0.7)
    assert list(found_track(given, "O", 0.5, gap=0).slices) == [8, 9]


def test_a_stray_slice_is_left_out_and_costs_trust():
    given = heat({8: (4, 4, 0.8), 9: (4, 4, 0.8), 10: (4, 4, 0.8), 20: (9, 9, 0.8)})
    track = found_track(given, "O", 0.5, gap=2)
    assert list(track.slices) == [8, 9, 10]
    assert track.score == pytest.approx(0.8 * 3 / 4)


def test_no_peak_is_no_track():
    assert found_track(heat({8: (4, 4, 0.49)}), "O", 0.5, 1) is None


def test_a_box_takes_the_peaks_inside_it_and_is_filled():
    given = heat({8: (4, 4, 0.8), 9: (11, 11, 0.9), 10: (6, 4, 0.8)})
    track = boxed_track(given, "O", 0.5, np.array([5.6, 20, 30]), np.array([11.4, 40, 50]))
    assert list(track.slices) == [6, 7, 8, 9, 10, 11]  # whole slices whose middle is inside
    assert np.allclose(track.centres[:, 0], [26, 26, 26, 30, 34, 34], atol=0.3)


@pytest.mark.parametrize("seen", [heat({}), None])
def test_a_box_in_which_nothing_is_seen_uses_its_middle(seen):
    track = boxed_track(seen, "O", 0.5, np.array([5.6, 20, 30]), np.array([7.4, 40, 60]))
    assert list(track.slices) == [6, 7]
    assert np.allclose(track.centres, [[30, 45], [30, 45]])


def test_a_box_thinner_than_a_slice_has_one():
    assert list(boxed_track(None, "O", 0.5, np.array([5.6, 0, 0]), np.array([5.9, 9, 9])).slices) == [6]


def test_following_a_click_both_ways_until_nothing_is_there():
    seen = {z: (10.0 + z, 20.0) for z in range(3, 9)}

    def near(z, place):
        return seen.get(z)

    track = followed_track(5, (50.0, 60.0), 30, near, lambda z, place: None, 3, 2)
    assert list(track.slices) == [3, 4, 5, 6, 7, 8]
    assert track.centres[2].tolist() == [50.0, 60.0]  # the click stays
    assert track.centres[0].tolist() == [13.0, 20.0]


def test_following_without_the_locator_is_bounded_and_ends_at_the_scan():
    def drawn(z, place):
        return place[0] + 1, place[1]

    track = followed_track(5, (0.0, 0.0), 8, lambda z, place: None, drawn, 3, 2)
    assert list(track.slices) == [2, 3, 4, 5, 6, 7]
    assert track.centres[:, 0].tolist() == [3.0, 2.0, 1.0, 0.0, 1.0, 2.0]


def test_a_slice_the_locator_sees_again_starts_the_count_anew():
    seen = {z: (1.0, 1.0) for z in (8, 11)}
    track = followed_track(5, (0.0, 0.0), 30, lambda z, place: seen.get(z), lambda z, place: place, 2, 1)
    assert list(track.slices) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


def test_where_the_locator_sees_the_click_it_says_where_the_organ_ends():
    """Seen in 4, 5, 6 and 8; the network would draw something anywhere. 7 is a gap of one, beyond 8 nothing is it."""
    seen = {z: (float(z), 1.0) for z in (4, 5, 6, 8)}
    track = followed_track(5, (5.0, 0.0), 30, lambda z, place: seen.get(z), lambda z, place: (99.0, 99.0), 12, 1)
    assert list(track.slices) == [4, 5, 6, 7, 8]
    assert track.centres[3].tolist() == [7.0, 1.0]  # between its neighbours, not what was drawn there
    assert track.centres[1].tolist() == [5.0, 0.0]
    wide = followed_track(5, (5.0, 0.0), 30, lambda z, place: seen.get(z), lambda z, place: (99.0, 99.0), 12, 0)
    assert list(wide.slices) == [4, 5, 6]  # a gap that the bundle does not allow ends it


def test_fine_centres_ends_and_holes():
    """Slices 10..15; the mask reaches 11, 12 and 14."""
    track = Track(10, np.full((6, 2), 50.0))
    inside = np.zeros((8, 20, 20), bool)  # from slice 9, row 40, column 30
    inside[2, 4:7, 5] = True  # slice 11: (45, 35)
    inside[3, 6, 5:8] = True  # 12: (46, 36)
    inside[5, 8, 8] = True  # 14: (48, 38)
    fine = refined_track(track, (9, 40, 30), inside)
    assert fine.centres.tolist() == [[50, 50], [45, 35], [46, 36], [47, 37], [48, 38], [50, 50]]
    assert refined_track(track, (9, 40, 30), np.zeros_like(inside)) is track


def test_interpolation_beyond_the_ends_is_constant():
    track = interpolated({4: (1.0, 2.0), 6: (3.0, 6.0)}, 1.0, 3, 8)
    assert track.first == 3
    assert track.centres.tolist() == [[1, 2], [1, 2], [2, 4], [3, 6], [3, 6], [3, 6]]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [-15]), (10, [-11]), (32, [0]), (33, [0, 1]), (70, [0, 16, 32, 38])]
)
def test_chunks_of_32_slices_share_half(count, expected):
    assert list(chunk_starts(Track(0, np.zeros((count, 2))), 32)) == expected


def test_one_drawing_on_anothers_voxels():
    values = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    found = Drawing((3, 10, 20), values, False).on(Drawing((3, 11, 18), np.zeros((1, 2, 4), np.float32), False))
    nan = np.nan
    assert np.array_equal(found[0], [[nan, nan, 4, 5], [nan, nan, nan, nan]], equal_nan=True)
    assert np.isnan(Drawing((9, 0, 0), values, False).on(Drawing((3, 0, 0), values, False))).all()

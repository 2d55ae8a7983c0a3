"""F1 of the slices that a locator names, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.methods.slice_centre.presence import Seen, best_presence, track_f1
from training.methods.slice_centre.slices import OrganSlices
from TwoStageSegLib.systems.slice_heat import Heat

ORGAN = "Esophagus"


def seen(heights: list[float], shows: list[int], empty: list[int], off_mm: float = 0.0) -> Seen:
    """Slices 0.. with one peak each at cell (3, 3), of which the true centre lies ``off_mm`` away; 2 mm pixels."""
    maps = np.zeros((len(heights), 8, 8), np.float32)
    maps[:, 3, 3] = heights
    truth = OrganSlices(np.array(shows), np.tile([3.0, 3.0 + off_mm / 2], (len(shows), 1)), np.array(empty, int))
    return Seen(Heat(0, {ORGAN: maps}, (0.0, 0.0), (1.0, 1.0)), truth, (2.5, 2.0, 2.0))


def test_f1_by_hand():
    """Named 1..4, shown 2..5: 3 hits, 4 named, 4 shown."""
    one = seen([0.1, 0.6, 0.7, 0.8, 0.6, 0.2], [2, 3, 4, 5], [0, 1])
    assert track_f1([one], ORGAN, 0.5, 0.0) == pytest.approx(2 * 3 / 8)
    assert track_f1([one, one], ORGAN, 0.5, 0.0) == pytest.approx(2 * 3 / 8)
    assert track_f1([one], ORGAN, 0.9, 0.0) == 0


def test_slices_of_which_nothing_is_known_do_not_count():
    cut = seen([0.9, 0.9, 0.9, 0.9], [2, 3], [])
    assert track_f1([cut], ORGAN, 0.5, 0.0) == 1
    assert track_f1([seen([0.9] * 4, [2, 3], [0, 1])], ORGAN, 0.5, 0.0) == pytest.approx(2 * 2 / 6)


def test_a_centre_too_far_off_is_no_hit():
    assert track_f1([seen([0.9] * 4, [0, 1, 2, 3], [], off_mm=11.0)], ORGAN, 0.5, 0.0) == 1
    assert track_f1([seen([0.9] * 4, [0, 1, 2, 3], [], off_mm=13.0)], ORGAN, 0.5, 0.0) == 0


def test_errors_in_mm_are_signed():
    one = seen([0.9, 0.9, 0.9], [1, 2], [], off_mm=6.0)
    track = one.track(ORGAN, 0.5, 0.0)
    assert track is not None and np.allclose(one.errors_mm(track), [[0, -6], [0, -6]])


def test_the_best_height_and_gap():
    """Heights of 0.4 hold all and nothing else; slice 3 has no peak, so 5 mm (two slices) must be bridged."""
    one = seen([0.3, 0.4, 0.5, 0.0, 0.6, 0.3], [1, 2, 3, 4], [0, 5])
    f1, present, gap = best_presence([one], ORGAN, (0.2, 0.35, 0.4, 0.45), (0.0, 5.0, 10.0))
    assert (f1, present, gap) == (1.0, 0.35, 5.0)


def test_no_body_is_no_track():
    empty = Seen(None, OrganSlices(np.array([1]), np.zeros((1, 2)), np.array([0])), (2.5, 2.0, 2.0))
    assert empty.track(ORGAN, 0.1, 0.0) is None and track_f1([empty], ORGAN, 0.1, 0.0) == 0

"""Which slices show the organ, which surely do not, and where its centre is in each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from Testing.training.methods.slice_centre.conftest import TUBE
from training.methods.inputs import preprocess_of
from training.methods.slice_centre.slices import organ_slices, seen_of


def test_a_whole_organ_is_nowhere_else(whole):
    slices = organ_slices(whole, "Esophagus")
    assert slices.shows.tolist() == list(TUBE)
    assert slices.empty.tolist() == [*range(8), *range(28, 36)]
    expected = [(row + 1.5, column + 2.5) for row, column in TUBE.values()]
    assert np.allclose(slices.centres, expected)
    assert np.allclose(slices.track.centres, expected) and slices.track.first == 8


def test_beyond_a_cut_end_nothing_is_known(others):
    slices = organ_slices(others["cut"], "Esophagus")
    assert slices.shows.tolist() == list(TUBE) and slices.empty.size == 0


def test_a_body_without_the_organ_is_empty_and_an_unknown_one_says_nothing(whole, others):
    without = organ_slices(others["without"], "Esophagus")
    assert without.shows.size == 0 and without.empty.tolist() == list(range(36))
    unknown = organ_slices(whole, "Larynx")
    assert unknown.shows.size == unknown.empty.size == 0


def test_between_slices_a_centre_is_interpolated_and_beyond_them_it_stays(whole):
    slices = organ_slices(whole, "Esophagus")
    few = replace(slices, shows=np.array([10, 14]), centres=np.array([[10.0, 20.0], [14.0, 12.0]]))
    assert few.track.centres.tolist() == [[10, 20], [11, 18], [12, 16], [13, 14], [14, 12]]
    assert few.centre_at(11).tolist() == [11, 18]
    assert few.centre_at(3).tolist() == [10, 20] and few.centre_at(30).tolist() == [14, 12]


def test_the_body_is_the_one_that_the_running_system_finds(whole, tiny):
    """Body 28 x 34 voxels of 4 mm around index (19.5, 21.5), in every slice; found on a grid of 8 mm."""
    body, middle = seen_of(whole, preprocess_of(tiny))
    assert body == range(36)
    assert np.abs(np.subtract(middle, (19.5, 21.5))).max() <= 1.0

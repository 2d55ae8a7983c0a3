"""Small parts that several systems share, by hand: runs of slices, a component at a point, crops on other voxels."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.systems.placing import at_point
from TwoStageSegLib.systems.shared import onto
from TwoStageSegLib.systems.slice_runs import best_run, runs_of

HEIGHTS = {3: 0.9, 4: 0.8, 5: 0.2, 6: 0.7, 7: 0.1, 8: 0.1, 9: 0.95}


@pytest.mark.parametrize(
    ("gap", "runs"),
    [(0, [[3, 4], [6], [9]]), (1, [[3, 4, 6], [9]]), (2, [[3, 4, 6, 9]])],
)
def test_runs_go_on_across_gaps(gap, runs):
    assert runs_of(HEIGHTS, 0.5, gap) == runs
    assert runs_of(HEIGHTS, 0.96, gap) == []


def test_the_best_run_and_its_score():
    run, score = best_run(HEIGHTS, 0.5, 1)
    assert run == [3, 4, 6]
    assert score == pytest.approx(2.4 / 3 * 2.4 / 3.35)
    assert best_run(HEIGHTS, 0.96, 1) is None


def test_a_value_at_the_threshold_counts():
    assert runs_of({0: 0.5}, 0.5, 0) == [[0]]


@pytest.mark.parametrize(
    ("point", "bridge", "slices"),
    [
        ((12, 22, 32), 0, [12, 13]),
        ((12, 22, 35.5), 0, [12, 13]),  # the organ ends at 33, 3 voxels are in reach
        ((12, 22, 36.5), 0, []),
        ((12, 22, 32), 1, [12, 13, 15]),
        ((15, 22, 32), 0, [15]),
        ((14, 22, 32), 0, []),  # nothing in the point's own slice
    ],
)
def test_only_what_hangs_together_with_a_point_stays(point, bridge, slices):
    values = np.zeros((6, 10, 20), np.float32)
    values[[2, 3, 5], 1:4, 1:4] = 0.9
    values[2, 8, 18] = 0.8  # another component of the same slice
    kept = at_point(values, (10, 20, 30), 0.5, np.asarray(point, float), np.array([3.0, 3.0]), bridge)
    assert (np.flatnonzero(kept.any((1, 2))) + 10).tolist() == slices
    assert kept.sum() == pytest.approx(9 * 0.9 * len(slices))
    assert kept[2, 8, 18] == 0


def test_values_on_the_voxels_of_another_crop():
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    out = onto(values, (5, 5, 5), (6, 4, 5), (2, 3, 1))
    expected = np.full((2, 3, 1), np.nan)
    expected[0, 1, 0], expected[0, 2, 0] = 4, 6  # voxels (6, 5, 5) and (6, 6, 5)
    assert np.array_equal(out, expected, equal_nan=True)
    assert np.isnan(onto(values, (5, 5, 5), (20, 5, 5), (2, 2, 2))).all()

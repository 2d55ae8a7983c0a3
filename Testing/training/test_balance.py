"""Balance sampling of papers/001."""

from __future__ import annotations

import numpy as np
import pytest

from training.balance import balanced_epoch

SHOWS = [False] * 20 + [True] * 4 + [False] * 30


@pytest.mark.parametrize(("theta", "without"), [(0, 0), (1, 4), (2, 8), (4, 16), (None, 50), (100, 50)])
def test_the_ratio(theta, without):
    indices = balanced_epoch(SHOWS, theta, np.random.default_rng(0))
    flags = np.asarray(SHOWS)[indices]
    assert (int(flags.sum()), int((~flags).sum())) == (4, without)
    assert len(set(indices.tolist())) == len(indices)


def test_drawn_anew_each_time_and_repeatable():
    one, two = (balanced_epoch(SHOWS, 1, np.random.default_rng(seed)) for seed in (0, 1))
    assert set(one.tolist()) != set(two.tolist())
    assert np.array_equal(one, balanced_epoch(SHOWS, 1, np.random.default_rng(0)))
    seen = {i for epoch in range(200) for i in balanced_epoch(SHOWS, 1, np.random.default_rng(epoch)).tolist()}
    assert len(seen) == len(SHOWS)


def test_slices_are_mixed():
    flags = np.asarray(SHOWS)[balanced_epoch(SHOWS, 4, np.random.default_rng(0))]
    assert not flags[:4].all()


def test_no_slice_with_the_target_gives_nothing_to_balance():
    assert len(balanced_epoch([False] * 5, 1, np.random.default_rng(0))) == 0

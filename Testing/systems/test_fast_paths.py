"""Ways around work that changes nothing: the results must be those of the long way, voxel for voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from TwoStageSegLib.systems.body import opening
from TwoStageSegLib.systems.coarse import FULL, used_box
from TwoStageSegLib.systems.localise_crop import _above_half
from TwoStageSegLib.systems.placing import components, largest
from TwoStageSegLib.systems.runner import probability

SHARES = st.floats(0.0, 1.0)
SEEDS = st.integers(0, 2**32 - 1)


def noise(seed: int, share: float) -> NDArray[np.bool_]:
    """A small random mask in a box of random size, often with empty margins."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 10, 3)
    inside = rng.random(shape) < share
    inside[: rng.integers(0, 4)] = False
    inside[:, :, rng.integers(1, 12) :] = False
    return inside


@settings(max_examples=60, deadline=None)
@given(SEEDS, SHARES)
def test_an_opening_is_scipys(seed: int, share: float) -> None:
    inside = noise(seed, share)
    expected = ndimage.binary_opening(inside, ndimage.generate_binary_structure(3, 1))
    np.testing.assert_array_equal(opening(inside), expected)


@settings(max_examples=60, deadline=None)
@given(SEEDS, SHARES, st.integers(0, 3))
@example(128, 0.03125, 1)  # two components of one voxel; the order is that of their bridges
def test_the_largest_component_is_that_of_the_whole_array(seed: int, share: float, bridge: int) -> None:
    inside = noise(seed, share)
    labels, count = components(inside, bridge)
    expected = inside & (labels == np.argmax(np.bincount(labels[inside]))) if count > 1 else inside
    np.testing.assert_array_equal(largest(inside, bridge), expected)


@pytest.mark.parametrize(
    ("voxels", "box"),
    [
        ([(1, 2, 3)], (slice(1, 2), slice(2, 3), slice(3, 4))),
        ([(0, 4, 1), (3, 2, 5)], (slice(0, 4), slice(2, 5), slice(1, 6))),
        ([], None),
    ],
)
def test_the_used_box_holds_everything_and_no_more(voxels, box) -> None:
    inside = np.zeros((4, 5, 6), bool)
    for voxel in voxels:
        inside[voxel] = True
    assert used_box(inside) == box


def test_probabilities_above_one_half_are_all_there() -> None:
    logits = np.random.default_rng(0).normal(-2, 1, (12, 13, 14)).astype(np.float32)
    long_way = probability(logits)
    fast = _above_half(logits)
    np.testing.assert_array_equal(fast > 0.5, long_way > 0.5)
    np.testing.assert_array_equal(fast[fast > 0.5], long_way[long_way > 0.5])
    np.testing.assert_array_equal(ndimage.label(fast > 0.5, FULL)[0], ndimage.label(long_way > 0.5, FULL)[0])


def test_where_nothing_is_above_one_half_it_still_says_how_close_it_came() -> None:
    logits = np.full((2, 3, 4), -3, np.float32)
    logits[1, 2, 3] = -1
    assert _above_half(logits).max() == probability(logits).max() == pytest.approx(1 / (1 + np.e))

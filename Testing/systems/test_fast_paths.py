"""Ways around work that changes nothing: the results must be those of the long way, voxel for voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.grid import Grid
from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.systems.body import body_box, opening
from TwoStageSegLib.systems.coarse import region_from_map
from TwoStageSegLib.systems.localise_crop import _region
from TwoStageSegLib.systems.placing import components, largest
from TwoStageSegLib.systems.runner import probability
from TwoStageSegLib.systems.used import used_box, used_boxes

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
    together = np.stack([np.zeros_like(inside), inside], -1).transpose(3, 0, 1, 2)  # interleaved
    assert used_boxes(together) == [None, box]


@settings(max_examples=60, deadline=None)
@given(SEEDS, SHARES)
def test_the_body_is_the_largest_component(seed: int, share: float) -> None:
    """By the objects of SciPy, which the fast way looks for only where there are several."""
    dense = noise(seed, share)
    opened = ndimage.binary_opening(dense, ndimage.generate_binary_structure(3, 1))
    labels, count = ndimage.label(opened if opened.any() else dense)
    expected = None
    if count:
        found = ndimage.find_objects(labels)[int(np.argmax(np.bincount(labels.ravel())[1:]))]
        expected = tuple(
            slice(max(0, s.start - 2), min(n, s.stop + 2)) for s, n in zip(found, dense.shape, strict=True)
        )
    assert body_box(np.where(dense, 40.0, -1000.0).astype(np.float32)) == expected


ORGAN = OrganSpec(
    "Larynx", 0, False, [80.0] * 3, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.05, 0.1, 0.5, [1.0, 9.0], "", [0] * 3
)
GEOMETRY = Geometry((40, 50, 60), (-5.0, 7.0, 11.0), (1.5, 2.0, 2.5))
GRID = Grid((0.5, 1.0, 1.5), (2.4, 3.0, 4.0), (12, 13, 14))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(-4.0, 1.0))
def test_a_region_from_the_part_above_one_half_is_that_of_the_whole_map(seed: int, level: float) -> None:
    """The score is a mean of float32, whose last digits depend on the order of the sum."""
    logits = np.random.default_rng(seed).normal(level, 1, GRID.shape).astype(np.float32)
    long_way = region_from_map(probability(logits), GRID, ORGAN, GEOMETRY)
    fast = _region(logits, used_box(logits > 0), GRID, ORGAN, GEOMETRY)
    assert fast.status == long_way.status and fast.source == long_way.source
    assert fast.score == pytest.approx(long_way.score, rel=1e-5)
    if long_way.usable:
        np.testing.assert_allclose(fast.bounds_lps, long_way.bounds_lps, atol=1e-9)


def test_where_nothing_is_above_one_half_it_still_says_how_close_it_came() -> None:
    logits = np.full((2, 3, 4), -3, np.float32)
    logits[1, 2, 3] = -1
    assert _region(logits, None, GRID, ORGAN, GEOMETRY).score == pytest.approx(1 / (1 + np.e))

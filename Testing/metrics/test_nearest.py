"""Distances to the nearest voxel of another set: those of a distance map, whichever way they are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from TwoStageSegLib.metrics import nearest as module
from TwoStageSegLib.metrics.nearest import nearest, neighbours

SPACINGS = st.tuples(*[st.sampled_from([0.49, 0.98, 1.0, 2.5, 3.0])] * 3)


def by_map(own: np.ndarray, other: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return ndimage.distance_transform_edt(~other, spacing)[own]


@pytest.mark.parametrize("few", [0, 10**9])  # neighbours first, and the tree alone
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), SPACINGS, st.floats(0.001, 0.3), st.booleans())
def test_is_the_distance_map(few, seed, spacing, share, fortran) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(3, 30, 3))
    a, b = (np.asarray(rng.random(shape) < s, order="F" if fortran else "C") for s in (share, 0.05))
    a[0, 1, 2], b[2, 1, 0] = True, True  # neither is empty
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_VOXELS", few)
        forth, back = nearest(a, b, spacing)
    np.testing.assert_allclose(forth, by_map(a, b, spacing), atol=1e-9)
    np.testing.assert_allclose(back, by_map(b, a, spacing), atol=1e-9)


@pytest.mark.parametrize("few", [0, 10**9])
def test_far_away_is_infinite_if_that_is_all_one_wants_to_know(few, monkeypatch) -> None:
    monkeypatch.setattr(module, "FEW_VOXELS", few)
    a, b = np.zeros((2, 5, 5, 40), bool)
    a[2, 2, 0], a[2, 2, 5], b[2, 2, 8] = True, True, True
    forth, back = nearest(a, b, (2.5, 1.0, 1.0), within_mm=3.1)
    assert forth.tolist() == [np.inf, 3.0] and back.tolist() == [3.0]
    assert nearest(a, b, (2.5, 1.0, 1.0), within_mm=3.0)[1].tolist() == [np.inf]
    forth, _ = nearest(a, b, (2.5, 1.0, 1.0))
    assert forth.tolist() == [8.0, 3.0]


def test_neighbours_are_all_those_in_a_ball() -> None:
    """By hand for 1 mm: six faces, twelve edges, eight corners come first."""
    offsets, lengths, reach = neighbours((1.0, 1.0, 1.0))
    assert np.unique(lengths[:26].round(9), return_counts=True)[1].tolist() == [6, 12, 8]
    assert (np.diff(lengths) >= 0).all() and lengths[-1] <= reach < 6.3
    z, y, x = np.mgrid[-8:9, -8:9, -8:9]
    assert len(offsets) == np.count_nonzero(z**2 + y**2 + x**2 <= reach**2) - 1

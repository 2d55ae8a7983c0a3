"""Heatmap targets: the radius from its definition, Gaussians by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.heatmaps import gaussian_cells, gaussian_mm, overlap_radius


@settings(deadline=None, max_examples=50)
@given(st.floats(1, 60), st.floats(1, 60), st.sampled_from([0.5, 0.7, 0.9]))
def test_the_radius_is_as_far_as_the_overlap_allows(height, width, overlap):
    def ious(r: float) -> list[float]:
        area, inside = height * width, (height - r) * (width - r)
        shrunk = max(height - 2 * r, 0) * max(width - 2 * r, 0)
        return [inside / (2 * area - inside), shrunk / area, area / ((height + 2 * r) * (width + 2 * r))]

    radius = overlap_radius(height, width, overlap)
    assert min(ious(radius)) == pytest.approx(overlap, rel=1e-6)
    assert min(ious(radius * 0.99)) > overlap


def test_a_gaussian_of_radius_one_by_hand():
    """sigma = 3/6: exp(-2) beside the peak, exp(-4) at the corners, nothing farther away."""
    found = gaussian_cells((5, 6), [(2.4, 3.4)], [1.9])
    expected = np.zeros((5, 6))
    expected[1:4, 2:5] = math.exp(-4)
    expected[2, 2:5] = expected[1:4, 3] = math.exp(-2)
    expected[2, 3] = 1
    assert np.allclose(found, expected)
    assert found[2, 3] == 1.0  # exactly: the loss asks for it


def test_the_larger_of_two_gaussians_counts_and_a_centre_beyond_the_border_is_on_it():
    both = gaussian_cells((9, 9), [(4, 2), (4, 6)], [3, 3])
    alone = gaussian_cells((9, 9), [(4, 2)], [3]), gaussian_cells((9, 9), [(4, 6)], [3])
    assert np.array_equal(both, np.maximum(*alone))
    assert (both == 1).sum() == 2
    assert gaussian_cells((4, 4), [(-3.0, 9.0)], [0])[0, 3] == 1.0


def test_no_object_is_no_heat():
    assert not gaussian_cells((4, 4), [], []).any()


def test_gaussian_in_millimetres_by_hand():
    found = gaussian_mm((9, 21, 21), (4, 10, 10), (3.0, 1.0, 1.0), 5.0)
    assert found[4, 10, 10] == 1.0
    assert found[4, 15, 10] == pytest.approx(math.exp(-0.5))
    assert found[5, 10, 14] == pytest.approx(math.exp(-(9 + 16) / 50))


def test_gaussian_in_voxels_is_longer_across_thick_slices():
    found = gaussian_mm((11, 11, 11), (5, 5, 5), (3.0, 1.0, 1.0), 5.0, in_voxels=True)
    assert found[10, 5, 5] == pytest.approx(float(found[5, 10, 5])) == pytest.approx(math.exp(-0.5))


def test_a_centre_between_voxels_lies_between_them():
    found = gaussian_mm((1, 1, 4), (0, 0, 1.5), (3.0, 1.0, 2.0), 5.0)
    assert found[0, 0, 1] == found[0, 0, 2] == pytest.approx(math.exp(-1 / 50))

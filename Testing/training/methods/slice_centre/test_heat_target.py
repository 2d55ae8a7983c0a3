"""Cell c of the heatmap is at pixel 4 c + 1.5: the target's peak lies in the cell that holds the organ's centroid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.methods.slice_centre.heat_task import heat_target


def plane(rows: slice, columns: slice) -> np.ndarray:
    made = np.zeros((64, 64), np.float32)
    made[rows, columns] = 1
    return made


@pytest.mark.parametrize(("first", "cell"), [(20, 5), (21, 5), (22, 6), (19, 5), (18, 5), (17, 4)])
def test_the_peak_is_the_cell_of_the_centroid(tiny, first, cell):
    """4 pixels from ``first`` on: centroid first + 1.5; cell 5 is from pixel 19.5 to 23.5."""
    heat = heat_target(plane(slice(first, first + 4), slice(32, 36)), tiny)
    assert heat.shape == (16, 16)
    assert np.argwhere(heat == 1).tolist() == [[cell, 8]]


def test_the_gaussian_reaches_one_cell_at_least(tiny):
    """Radius 1: sigma = 3 / 6, so exp(-2) beside the peak and exp(-4) diagonally; nothing two cells away."""
    heat = heat_target(plane(slice(20, 24), slice(32, 36)), tiny)
    assert heat[5, 7] == pytest.approx(np.exp(-2)) and heat[4, 7] == pytest.approx(np.exp(-4))
    assert np.count_nonzero(heat) == 9
    assert np.count_nonzero(heat_target(plane(slice(20, 24), slice(32, 36)), replace(tiny, least_radius=0))) == 1


def test_a_large_object_has_a_wide_gaussian(tiny):
    """40 x 40 pixels are 10 x 10 cells. IoU 0.7 allows both corners to be off by 0.93 (both ways the same), 0.82
    (inwards) or 0.98 (outwards) cells, the least of which is below one. 60 x 60 are 15 x 15 cells; IoU 0.4: 2.76 cells
    inwards, of which whole ones count: 5 x 5 cells."""
    assert np.count_nonzero(heat_target(plane(slice(12, 52), slice(12, 52)), tiny)) == 9
    assert np.count_nonzero(heat_target(plane(slice(2, 62), slice(2, 62)), replace(tiny, overlap=0.4))) == 25


def test_without_the_organ_in_the_field_there_is_no_peak(tiny):
    assert not heat_target(np.zeros((64, 64), np.float32), tiny).any()
    assert not heat_target(np.full((64, 64), 0.01, np.float32), tiny).any()  # the rim of an organ beyond the field

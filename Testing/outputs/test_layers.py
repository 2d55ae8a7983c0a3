"""Sharing layers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.harness.grids import GRIDS, organs
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.layers import Slot, assign_layers, layer_extents, overlap


def test_only_what_overlaps_gets_a_further_layer() -> None:
    slots = assign_layers(organs(GRIDS["axial"]))
    assert slots == [Slot(0, 1), Slot(0, 2), Slot(1, 1), Slot(0, 3)]


def test_every_segment_of_a_layer_carries_the_extent_of_the_layer() -> None:
    masks = organs(GRIDS["axial"])
    extents = layer_extents(masks, assign_layers(masks))
    # brainstem z 1..2, y 2..4, x 3..6; right parotid z 6..8, y 8..10, x 10..12; both in layer 0, x first
    assert extents == [(3, 12, 2, 10, 1, 8), (3, 12, 2, 10, 1, 8), (3, 10, 2, 8, 1, 6), (3, 12, 2, 10, 1, 8)]


def test_a_layer_of_nothing_has_an_empty_extent() -> None:
    mask = Mask("Larynx", np.zeros((2, 2, 2), bool), (0, 0, 0), GRIDS["axial"])
    assert layer_extents([mask], [Slot(0, 1)]) == [(0, -1, 0, -1, 0, -1)]


@pytest.mark.parametrize(("start", "expected"), [((0, 0, 0), True), ((1, 1, 1), False), ((2, 0, 0), False)])
def test_crops_may_cross_without_a_common_voxel(start: tuple[int, int, int], expected: bool) -> None:
    grid = Geometry((9, 9, 9), (0, 0, 0), (1, 1, 1))
    diagonal = np.zeros((2, 2, 2), bool)
    diagonal[0, 0, 0] = True
    a = Mask("a", diagonal, (0, 0, 0), grid)
    assert overlap(a, Mask("b", np.ones((2, 2, 2), bool), start, grid)) is expected


def test_a_layer_holds_at_most_255_labels() -> None:
    grid = Geometry((300, 1, 1), (0, 0, 0), (1, 1, 1))
    masks = [Mask(str(i), np.ones((1, 1, 1), bool), (i, 0, 0), grid) for i in range(300)]
    slots = assign_layers(masks)
    assert slots[254] == Slot(0, 255)
    assert slots[255] == Slot(1, 1)

"""Twelve pairs of masks, every figure worked out on paper.

Voxels are 2 mm (z) x 1 mm (y) x 3 mm (x): a step along x is 3 mm, a pixel of contour (1 + 3) / 2 = 2 mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import (
    Outcome,
    added_path_length,
    compare,
    counted,
    dice,
    hd95,
    hd95_mean,
    jaccard,
    mean_surface_distance,
    slice_agreements,
    volume_ratio,
)

SPACING = (2.0, 1.0, 3.0)
SHAPE = (6, 7, 8)
INF = math.inf


def box(z, y, x) -> np.ndarray:
    out = np.zeros(SHAPE, bool)
    out[slice(*z), slice(*y), slice(*x)] = True
    return out


def row(first: int, stop: int) -> np.ndarray:
    """Voxels ``first`` to ``stop`` along x, in one row of one slice."""
    return box((2, 3), (3, 4), (first, stop))


EMPTY = np.zeros(SHAPE, bool)
CUBE = box((1, 4), (1, 4), (1, 4))
HOLLOW = CUBE.copy()
HOLLOW[2, 2, 2] = False


@dataclass(frozen=True)
class Golden:
    """Expected figures; ``path``: added, missed, whole, mm; ``slices``: missing, wrong, extra, reference, either."""

    mask: np.ndarray
    reference: np.ndarray
    dice: float
    jaccard: float
    hd95: float
    hd95_mean: float
    mean: float
    ratio: float
    path: tuple[float, float, float]
    slices: tuple[int, int, int, int, int]


PAIRS = {
    # a ring of 8 pixels in each of 3 slices: 24 pixels of contour, 48 mm
    "the same cube": Golden(CUBE, CUBE, 1, 1, 0, 0, 0, 1, (0, 0, 48), (0, 0, 0, 3, 3)),
    "both empty": Golden(EMPTY, EMPTY, 1, 1, 0, 0, 0, 1, (0, 0, 0), (0, 0, 0, 0, 0)),
    "nothing drawn": Golden(EMPTY, row(1, 2), 0, 0, INF, INF, INF, 0, (2, 2, 2), (1, 0, 0, 1, 1)),
    "nothing to draw": Golden(row(1, 2), EMPTY, 0, 0, INF, INF, INF, INF, (0, 0, 0), (0, 0, 1, 0, 1)),
    # 2 voxels apart along x: 6 mm; none of the drawn area is inside
    "another place": Golden(row(1, 2), row(3, 4), 0, 0, 6, 6, 6, 1, (2, 2, 2), (0, 1, 0, 1, 1)),
    # distances 0, 3 there and 0 back: percentile 95 lies at rank 0.95, 0.95 x 3 = 2.85; mean (0 + 3 + 0) / 3
    "one voxel too long": Golden(row(1, 3), row(1, 2), 2 / 3, 1 / 2, 2.85, 1.425, 1, 2, (0, 0, 2), (0, 0, 0, 1, 1)),
    "one voxel too short": Golden(row(1, 2), row(1, 3), 2 / 3, 1 / 2, 2.85, 1.425, 1, 0.5, (2, 2, 4), (0, 0, 0, 1, 1)),
    # 3 x 3 pixels, contour 8: drawn one slice (2 mm) too low
    "a slice too low": Golden(
        box((1, 2), (1, 4), (1, 4)), box((2, 3), (1, 4), (1, 4)), 0, 0, 2, 2, 2, 1, (16, 16, 16), (1, 0, 1, 1, 2)
    ),
    # 4 x 4 pixels, all on the surface; 12 shared, 4 of each lie 1 mm off: mean 8 / 32, rank 0.95 x 15 is among the 4.
    # Contours are rings of 12; they share the two columns in 3 rows, so 6 are to be drawn, 4 of them outside.
    "a row too far back": Golden(
        box((2, 3), (1, 5), (1, 5)), box((2, 3), (2, 6), (1, 5)), 0.75, 0.6, 1, 1, 0.25, 1, (12, 8, 24), (0, 0, 0, 1, 1)
    ),
    # a quarter of what was drawn is inside: not yet another object. Ranks 0 3 6 9 at 2.85: 6 + 0.85 x 3; mean 18 / 5
    "a quarter inside": Golden(row(1, 5), row(4, 5), 0.4, 0.25, 8.55, 4.275, 3.6, 4, (0, 0, 2), (0, 0, 0, 1, 1)),
    # a fifth is inside: another object. Ranks 0 3 6 9 12 at 3.8: 9 + 0.8 x 3; mean 30 / 6
    "a fifth inside": Golden(row(1, 6), row(5, 6), 1 / 3, 0.2, 11.4, 5.7, 5, 5, (0, 0, 2), (0, 1, 0, 1, 1)),
    # the cube without its middle: its 26 other voxels are the surface of both, and the contour of the middle slice too
    "a hole": Golden(HOLLOW, CUBE, 52 / 53, 26 / 27, 0, 0, 0, 26 / 27, (0, 0, 48), (0, 0, 0, 3, 3)),
}
assert len(PAIRS) == 12

pairs = pytest.mark.parametrize("g", PAIRS.values(), ids=PAIRS)


@pairs
def test_overlap(g: Golden):
    assert dice(g.mask, g.reference) == pytest.approx(g.dice)
    assert jaccard(g.mask, g.reference) == pytest.approx(g.jaccard)
    assert volume_ratio(g.mask, g.reference) == pytest.approx(g.ratio)


@pairs
def test_distances(g: Golden):
    assert hd95(g.mask, g.reference, SPACING) == pytest.approx(g.hd95)
    assert hd95_mean(g.mask, g.reference, SPACING) == pytest.approx(g.hd95_mean)
    assert mean_surface_distance(g.mask, g.reference, SPACING) == pytest.approx(g.mean)
    assert hd95(g.reference, g.mask, SPACING) == pytest.approx(g.hd95)  # distances have no direction, ratios have


@pairs
def test_path(g: Golden):
    path = added_path_length(g.mask, g.reference, SPACING)
    assert (path.added_mm, path.missed_mm, path.reference_mm) == pytest.approx(g.path)
    assert path.relative == pytest.approx(g.path[0] / g.path[2] if g.path[2] else 0)


@pairs
def test_slices(g: Golden):
    counts = counted(slice_agreements(g.mask, g.reference))
    assert (counts.missing, counts.wrong, counts.extra, counts.with_reference, counts.with_either) == g.slices


@pairs
def test_compare_says_the_same_and_pays_for_what_is_missing(g: Golden):
    geometry = Geometry(SHAPE, (0.0, 0.0, 0.0), (3.0, 1.0, 2.0))
    mask, reference = (Mask("Larynx", m, (0, 0, 0), geometry) for m in (g.mask, g.reference))
    diagonal = math.sqrt(12**2 + 7**2 + 24**2)
    found = compare(mask, reference)
    assert (found.dice, found.jaccard, found.volume_ratio) == pytest.approx((g.dice, g.jaccard, g.ratio))
    assert found.hd95_mm == pytest.approx(min(g.hd95, diagonal))
    assert found.mean_surface_mm == pytest.approx(min(g.mean, diagonal))
    assert found.path.added_mm == pytest.approx(g.path[0])
    counts = found.counts
    assert (counts.missing, counts.wrong, counts.extra, counts.with_reference, counts.with_either) == g.slices
    expected = {
        (True, True): Outcome.COMPARED,
        (False, True): Outcome.MISSING,
        (True, False): Outcome.EXTRA,
        (False, False): Outcome.BOTH_EMPTY,
    }
    assert found.outcome == expected[bool(g.mask.any()), bool(g.reference.any())]
    if not g.mask.any():
        assert compare(None, reference) == found

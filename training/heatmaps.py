"""Targets of the networks that locate by a heatmap: cells of a slice (papers/000), mm of a scan (papers/004)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.systems.focus_scan import gaussian


def overlap_radius(height: float, width: float, overlap: float = 0.7) -> float:
    """How far both corners of a box may be off before its IoU with the true box falls below ``overlap`` (CornerNet).

    The smallest of three cases, each the root of a quadratic: both corners moved the same way, both inwards, both
    outwards. Sizes and result in heatmap cells.
    """
    total, area = height + width, height * width
    shifted = _root(1.0, -total, area * (1 - overlap) / (1 + overlap), -1)
    smaller = _root(4.0, -2 * total, area * (1 - overlap), -1)
    larger = _root(4 * overlap, 2 * overlap * total, area * (overlap - 1), 1)
    return min(shifted, smaller, larger)


def gaussian_cells(
    shape: tuple[int, int], centres: Sequence[tuple[float, float]], radii: Sequence[float]
) -> NDArray[np.float32]:
    """CenterNet's target: a Gaussian per object, exactly 1 at the cell that holds its centre, the larger one counts.

    Parameters
    ----------
    shape : cells (h, w). centres : (y, x) in cells, centre of the first cell at 0. radii : of ``overlap_radius``; whole
        cells count, sigma is (2 r + 1) / 6 and the Gaussian ends r cells from its peak.
    """
    heatmap = np.zeros(shape, np.float32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for centre, radius in zip(centres, radii, strict=True):
        row, column = (int(np.clip(np.floor(c + 0.5), 0, n - 1)) for c, n in zip(centre, shape, strict=True))
        reach = int(radius)
        away = (y - row) ** 2 + (x - column) ** 2
        near = (abs(y - row) <= reach) & (abs(x - column) <= reach)
        peak = np.exp(-away / (2 * ((2 * reach + 1) / 6) ** 2))
        heatmap = np.maximum(heatmap, np.where(near, peak, 0)).astype(np.float32)
    return heatmap


def gaussian_mm(
    shape: tuple[int, int, int],
    centre_index: Sequence[float],
    spacing_mm: Sequence[float],
    sigma_mm: float = 5.0,
    in_voxels: bool = False,
) -> NDArray[np.float32]:
    """SOL-Net's target: a 3D Gaussian of 1 at the (fractional) ``centre_index``; axes (z, y, x).

    ``in_voxels`` reads ``sigma_mm`` as voxels along every axis, as papers/004 does: with slices of 3 mm a Gaussian
    three times as long as wide.
    """
    steps = (1.0, 1.0, 1.0) if in_voxels else spacing_mm
    return gaussian(shape, np.asarray(centre_index), sigma_mm / np.asarray(steps))


def _root(a: float, b: float, c: float, sign: int) -> float:
    return float((-b + sign * np.sqrt(b * b - 4 * a * c)) / (2 * a))

"""From every voxel of one set to the nearest of another, mm: exact, at a cost that grows with the sets.

Contours that are compared lie close together. So the neighbours are looked at first, one offset after the other from
the nearest on; only what is farther away than all of those is looked up in a tree of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .crop import Bools

Floats = NDArray[np.float64]

OFFSETS = 1000
"""About so many neighbours are looked at: up to 8 mm in a planning CT."""

FEW_VOXELS = 2000
"""For fewer the tree is the faster way."""


def nearest(
    a: Bools, b: Bools, spacing_zyx_mm: Sequence[float], within_mm: float = float("inf")
) -> tuple[Floats, Floats]:
    """From every set voxel of ``a`` to the nearest of ``b``, and back, mm; infinite where not below ``within_mm``.

    Neither may be empty. In the order of ``argwhere``.
    """
    sets = [_Set(m, np.column_stack(np.unravel_index(np.flatnonzero(m), m.shape))) for m in (a, b)]
    spacing = tuple(float(s) for s in spacing_zyx_mm)
    return _one_way(sets[0], sets[1], spacing, within_mm), _one_way(sets[1], sets[0], spacing, within_mm)


class _Set(NamedTuple):
    """Voxels, as an array and as indices (n, 3); ``argwhere`` of a large array takes five times as long."""

    mask: Bools
    indices: NDArray[np.intp]


def _one_way(own: _Set, other: _Set, spacing: tuple[float, ...], within_mm: float) -> Floats:
    distances = np.zeros(len(own.indices))
    left = np.flatnonzero(~other.mask[tuple(own.indices.T)])  # what is set in both is at 0
    distances[left] = np.inf
    reach = 0.0
    if len(left) >= FEW_VOXELS:
        left, reach = _among_neighbours(own.indices, other.mask, spacing, within_mm, left, distances)
    if len(left) and reach < within_mm:
        from scipy.spatial import KDTree

        tree = KDTree(other.indices * np.asarray(spacing), balanced_tree=False, compact_nodes=False)
        wanted = own.indices[left] * np.asarray(spacing)
        distances[left] = tree.query(wanted, distance_upper_bound=within_mm)[0]
    return distances


def _among_neighbours(
    indices: NDArray[np.intp],
    other: Bools,
    spacing: tuple[float, ...],
    within_mm: float,
    left: NDArray[np.intp],
    distances: Floats,
) -> tuple[NDArray[np.intp], float]:
    """Fill in the distances of those ``left`` whose nearest is a neighbour. Who is left then, and how far it looked."""
    offsets, lengths, reach = neighbours(spacing)
    border = np.abs(offsets).max(0)
    around = np.ascontiguousarray(np.pad(other, [(int(n), int(n)) for n in border]))
    steps = np.asarray(around.strides)  # of one byte each: strides are steps in the flat array
    places, flat = (indices[left] + border) @ steps, around.ravel()
    for step, length in zip(offsets @ steps, lengths, strict=True):
        if length >= within_mm or not len(left):
            break
        found = flat[places + step]
        if found.any():
            distances[left[found]] = length
            left, places = left[~found], places[~found]
    return left, reach


@lru_cache(maxsize=32)
def neighbours(spacing_zyx_mm: tuple[float, ...]) -> tuple[NDArray[np.intp], Floats, float]:
    """Offsets (n, 3) of the neighbours in voxels by their distance, the distances, and up to where none is missing.

    They are those in a ball with the volume of ``OFFSETS`` voxels.
    """
    reach = float((OFFSETS * np.prod(spacing_zyx_mm) * 3 / (4 * np.pi)) ** (1 / 3))
    ranges = [np.arange(-int(reach / s), int(reach / s) + 1) for s in spacing_zyx_mm]
    offsets = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
    lengths = np.linalg.norm(offsets * np.asarray(spacing_zyx_mm), axis=1)
    order = np.argsort(lengths, kind="stable")
    order = order[(lengths[order] > 0) & (lengths[order] <= reach)]
    return offsets[order], lengths[order], reach

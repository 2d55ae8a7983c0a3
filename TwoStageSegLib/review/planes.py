"""Which planes of the standard array two masks differ in, and by how many voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry, standardise
from ..mask import Mask


@dataclass(frozen=True)
class Difference:
    """From one mask to another: voxels added and removed, and the planes (axis 0 of the standard array) they lie in."""

    added: int
    removed: int
    planes: frozenset[int]


def difference(before: Mask, after: Mask) -> Difference:
    """What was done to a mask; both in one grid."""
    lo = np.minimum(before.start_zyx, after.start_zyx)
    hi = np.maximum(np.add(before.start_zyx, before.voxels.shape), np.add(after.start_zyx, after.voxels.shape))
    old, new = (_in_box(mask, lo, hi) for mask in (before, after))
    changed = old ^ new
    order, flip = _planes_axis(after.geometry)
    at = np.flatnonzero(changed.any(tuple(a for a in range(3) if a != order))) + lo[order]
    at = after.geometry.shape_zyx[order] - 1 - at if flip else at
    return Difference(
        int(np.count_nonzero(new & changed)), int(np.count_nonzero(old & changed)), frozenset(int(i) for i in at)
    )


def _planes_axis(geometry: Geometry) -> tuple[int, bool]:
    """The array axis that runs feet to head, and whether it runs head to feet."""
    axis_map, _ = standardise(geometry)
    return int(axis_map.order[0]), bool(axis_map.flip[0])


def _in_box(mask: Mask, lo: NDArray[np.int64], hi: NDArray[np.int64]) -> NDArray[np.bool_]:
    out = np.zeros(hi - lo, bool)
    at = tuple(slice(s - o, s - o + n) for s, o, n in zip(mask.start_zyx, lo, mask.voxels.shape, strict=True))
    out[at] = mask.voxels
    return out

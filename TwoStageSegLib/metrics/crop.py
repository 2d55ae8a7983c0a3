"""Only where something is: two masks cut to the smallest box that holds both.

A 512 x 512 x 150 array is 39 MB; an organ in it is one or two. Everything after the crop costs what the organ costs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..mask import Mask

Bools = NDArray[np.bool_]

SAME_GRID_MM = 0.01
"""Grids whose corners lie closer are one: files round to decimals, or to single precision."""


def cropped(a: Bools, b: Bools) -> tuple[Bools, Bools]:
    """Views of two 3D arrays of one shape, cut to the box that holds both; empty arrays if neither has a voxel."""
    boxes = [box for box in (_box(a), _box(b)) if box is not None]
    if not boxes:
        return a[:0, :0, :0], b[:0, :0, :0]
    where = tuple(slice(min(r[i].start for r in boxes), max(r[i].stop for r in boxes)) for i in range(3))
    return a[where], b[where]


def together(a: Mask, b: Mask) -> tuple[Bools, Bools]:
    """Two masks of one grid as arrays of their common bounding crop, one voxel of border added.

    Raises
    ------
    InputRefused
        ``E_GRID`` if the masks belong to different grids.
    """
    if not _same_grid(a.geometry, b.geometry):
        raise InputRefused(
            "E_GRID", f"{b.organ}: the two contours lie on different voxel grids. Bring both to the grid of the scan."
        )
    starts = np.minimum(a.start_zyx, b.start_zyx) - 1
    stops = np.maximum(np.add(a.start_zyx, a.voxels.shape), np.add(b.start_zyx, b.voxels.shape)) + 1
    out = []
    for mask in (a, b):
        full = np.zeros(stops - starts, bool)
        at = tuple(slice(s - o, s - o + n) for s, o, n in zip(mask.start_zyx, starts, mask.voxels.shape, strict=True))
        full[at] = mask.voxels
        out.append(full)
    return out[0], out[1]


def _same_grid(a: Geometry, b: Geometry) -> bool:
    if a.shape_zyx != b.shape_zyx:
        return False
    corners = np.vstack([np.zeros(3), np.diag(a.shape_zyx)])
    return a is b or bool(np.abs(a.index_to_lps(corners) - b.index_to_lps(corners)).max() <= SAME_GRID_MM)


def _box(mask: Bools) -> tuple[slice, slice, slice] | None:
    """The smallest box of voxels that are set. Slice by slice first: the rest is then looked for in few slices."""
    z = np.flatnonzero(np.any(mask.reshape(len(mask), -1), axis=1) if mask.flags.c_contiguous else mask.any((1, 2)))
    if len(z) == 0:
        return None
    plane: Bools = np.any(mask[z[0] : z[-1] + 1], axis=0)
    y, x = np.flatnonzero(np.any(plane, axis=1)), np.flatnonzero(np.any(plane, axis=0))
    return slice(int(z[0]), int(z[-1]) + 1), slice(int(y[0]), int(y[-1]) + 1), slice(int(x[0]), int(x[-1]) + 1)

"""Closed planar contours to voxels: even-odd at voxel centres, exact to the last crossing.

A voxel belongs to a contour if its centre lies inside. Contours that lie within each other alternate (XOR), which is
how DICOM's keyholes and ``CLOSEDPLANAR_XOR`` say a hole, and what plain nested loops mean: PS3.3 C.8.8.6.3. A centre
that lies on the path counts on the left and low side and not on the other, so that two organs that share a line share
no voxel and a rectangle through voxel centres keeps its area.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def polygon_mask(points_yx: Points, shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """Voxels whose centres lie inside one closed polygon.

    Parameters
    ----------
    points_yx : ``(n, 2)`` fractional indices (y, x); the last point is joined to the first. Points may lie outside.
    shape_yx : rows and columns.

    Each edge toggles everything on the right of where it crosses a row of centres; a channel that is walked in both
    directions crosses at the same place twice and leaves nothing.
    """
    rows, columns = shape_yx
    toggles = np.zeros((rows, columns + 1), np.int32)
    for a, b in zip(points_yx, np.roll(points_yx, -1, 0), strict=True):
        (y0, x0), (y1, x1) = (a, b) if a[0] <= b[0] else (b, a)  # one order: the way back crosses at the same number
        first, last = max(0, int(np.ceil(y0))), min(rows, int(np.ceil(y1)))
        if first >= last:
            continue
        y = np.arange(first, last)
        crossing = x0 + (y - y0) * ((x1 - x0) / (y1 - y0))
        np.add.at(toggles, (y, np.clip(np.ceil(crossing), 0, columns).astype(int)), 1)
    return (np.cumsum(toggles[:, :columns], 1) % 2).astype(bool)


def slice_mask(contours_yx: Sequence[Points], shape_yx: tuple[int, int]) -> tuple[NDArray[np.bool_], list[str]]:
    """All contours of one organ on one slice, and what was odd about them.

    Nested contours alternate. Of two that are the same one counts: XOR would empty both. Two that cross count as
    their union, because neither is a hole in the other.
    """
    notices: list[str] = []
    masks: list[NDArray[np.bool_]] = []
    for points in contours_yx:
        mask = polygon_mask(points, shape_yx)
        if any(np.array_equal(mask, other) for other in masks) and mask.any():
            notices.append("a contour is there twice; it counts once")
        else:
            masks.append(mask)
    inside = np.zeros(shape_yx, bool)
    for mask in masks:
        inside ^= mask
    for i, a in enumerate(masks):
        for b in masks[:i]:
            both = a & b
            if both.any() and (a & ~b).any() and (b & ~a).any():
                inside |= both
                notices.append("contours cross; they count as their union")
    return inside, notices

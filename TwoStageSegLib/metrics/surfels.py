"""Surface Dice: how much of the two surfaces lies within a tolerance of each other, by area.

Nikolov et al., arXiv 1809.04430: ``(area of S_a within tau of S_b + area of S_b within tau of S_a) / (area of S_a +
area of S_b)``. A surface element sits at the corner of eight voxels that are not all alike, and has the area of the
marching-cubes triangles between them; distances go from element to element, so they jump on the grid of the voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .crop import Bools, cropped
from .nearest import nearest

_CORNERS = [(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
_ALL = 255


def surface_dice(a: Bools, b: Bools, spacing_zyx_mm: Sequence[float], tolerance_mm: float) -> float:
    """Surface Dice of two boolean arrays ``(z, y, x)`` of one shape; a distance equal to the tolerance is within.

    1 if both are empty, 0 if one is.
    """
    codes = [_codes(m) for m in cropped(a, b)]
    edges = [(c != 0) & (c != _ALL) for c in codes]
    if not edges[0].any() or not edges[1].any():
        return 1.0 if not edges[0].any() and not edges[1].any() else 0.0
    table = areas_mm2(tuple(float(s) for s in spacing_zyx_mm))
    area = [table[c[e]] for c, e in zip(codes, edges, strict=True)]
    limit = tolerance_mm * (1 + 1e-9) + 1e-9  # 2.5 mm is within 2.5 mm, whatever the last bit says
    distances = nearest(edges[0], edges[1], spacing_zyx_mm, limit)
    within = sum(float(s[d <= limit].sum()) for s, d in zip(area, distances, strict=True))
    return within / float(area[0].sum() + area[1].sum())


@lru_cache(maxsize=32)
def areas_mm2(spacing_zyx_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Area, mm², of the surface between eight voxels, by which of them are set (256 entries).

    Always cuts off the corners of the side that has fewer, so that a mask and its complement have the same surface.
    """
    from skimage.measure import marching_cubes, mesh_surface_area

    table = np.zeros(_ALL + 1)
    for code in range(1, _ALL):
        corners = np.array([code >> bit & 1 for bit in range(8)], float).reshape(2, 2, 2)
        fewer = corners if corners.sum() <= 4 else 1 - corners
        points, triangles, _, _ = marching_cubes(fewer, 0.5, spacing=spacing_zyx_mm, method="lorensen")
        table[code] = mesh_surface_area(points, triangles)
    return table


def _codes(mask: Bools) -> NDArray[np.uint8]:
    """Which of the eight voxels around every corner of the grid are set, as bits; one larger than the mask."""
    padded = np.pad(mask, 1).view(np.uint8)
    shape = [n + 1 for n in mask.shape]
    codes = np.zeros(shape, np.uint8)
    for bit, corner in enumerate(_CORNERS):
        codes |= padded[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))] << np.uint8(bit)
    return codes

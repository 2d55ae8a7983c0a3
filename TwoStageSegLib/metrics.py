"""How far two masks agree: one definition each, in millimetres, on the cropped union of the masks.

Surfaces are the mask's voxels with at least one 6-neighbour outside (MONAI's definition); distances go from voxel
centre to voxel centre. HD95 is the *maximum* of the two directed 95th percentiles unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .mask import Mask

HD95_DEFINITION = "maximum of the two directed 95th percentiles, voxel centres of the 6-connected surface, mm"


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """``2 |a & b| / (|a| + |b|)`` of two boolean arrays of one shape; 1 if both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 1.0 if total == 0 else 2 * int(np.count_nonzero(a & b)) / total


def hd95(a: NDArray[np.bool_], b: NDArray[np.bool_], spacing_zyx_mm: Sequence[float]) -> float:
    """95 % Hausdorff distance, mm, as defined at the top of this file; 0 if both are empty, infinite if one is."""
    forth, back = surface_distances(a, b, spacing_zyx_mm)
    if len(forth) == 0 or len(back) == 0:
        return 0.0 if len(forth) == len(back) else float("inf")
    return float(max(np.percentile(forth, 95), np.percentile(back, 95)))


def surface_distances(
    a: NDArray[np.bool_], b: NDArray[np.bool_], spacing_zyx_mm: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances from every surface voxel of ``a`` to the surface of ``b``, and back, mm. Empty masks: empty arrays."""
    edge_a, edge_b = _surface(a), _surface(b)
    if not edge_a.any() or not edge_b.any():
        return np.zeros(int(edge_a.sum())), np.zeros(int(edge_b.sum()))
    to_b = ndimage.distance_transform_edt(~edge_b, sampling=spacing_zyx_mm)
    to_a = ndimage.distance_transform_edt(~edge_a, sampling=spacing_zyx_mm)
    return to_b[edge_a], to_a[edge_b]


def together(a: Mask, b: Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two masks of one grid as arrays of their common bounding crop, one voxel of border added."""
    starts = np.minimum(a.start_zyx, b.start_zyx) - 1
    stops = np.maximum(np.add(a.start_zyx, a.voxels.shape), np.add(b.start_zyx, b.voxels.shape)) + 1
    out = []
    for mask in (a, b):
        full = np.zeros(stops - starts, bool)
        at = tuple(slice(s - o, s - o + n) for s, o, n in zip(mask.start_zyx, starts, mask.voxels.shape, strict=True))
        full[at] = mask.voxels
        out.append(full)
    return out[0], out[1]


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return mask & ~ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1), border_value=0)

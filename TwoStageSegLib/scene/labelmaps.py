"""Label images: between VTK's oriented images and bool crops on a wanted grid. Nearest voxel, no transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonCore import VTK_UNSIGNED_CHAR

from .frames import Floats, numpy_matrix, vtk_matrix
from .runtime import slicer_class

Start = tuple[int, int, int]
Crop = tuple[Start, NDArray[np.bool_]]
"""Index ``(z, y, x)`` of the first voxel (may be negative) and the voxels."""

_SAME_GRID = 1e-3  # voxels: what rounding may shift one grid against another


def image_from_crop(crop: Crop, ijk_to_ras: Floats) -> Any:
    """A vtkOrientedImageData of 0 and 1 (uint8: Slicer refuses bool and int64) with the crop as its extent."""
    (z, y, x), voxels = crop
    depth, height, width = voxels.shape
    image = slicer_class("vtkOrientedImageData")()
    image.SetExtent(x, x + width - 1, y, y + height - 1, z, z + depth - 1)
    image.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    image.SetImageToWorldMatrix(vtk_matrix(ijk_to_ras))
    numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(voxels.shape)[...] = voxels
    return image


def crop_from_image(image: Any, ijk_to_ras: Floats) -> Crop | None:
    """The voxels of a label image that are not 0, trimmed, on another grid; None if there are none.

    On the same grid (shifted by whole voxels) they are copied exactly, else the nearest one is taken.

    Parameters
    ----------
    image : vtkOrientedImageData. ijk_to_ras : the wanted grid, 4x4, in the image's own frame.
    """
    x0, x1, y0, y1, z0, z1 = image.GetExtent()
    scalars = image.GetPointData().GetScalars()
    if scalars is None or x0 > x1 or y0 > y1 or z0 > z1:
        return None
    labels = numpy_support.vtk_to_numpy(scalars).reshape(z1 - z0 + 1, y1 - y0 + 1, x1 - x0 + 1)
    found = _trimmed(((z0, y0, x0), labels != 0))
    if found is None:
        return None
    matrix = vtk_matrix(np.eye(4))
    image.GetImageToWorldMatrix(matrix)
    to_wanted = np.linalg.inv(ijk_to_ras) @ numpy_matrix(matrix)
    shift = np.round(to_wanted[:3, 3])
    reach = np.abs(image.GetExtent()).max() + 1
    if (np.abs(to_wanted[:3, :3] - np.eye(3)) * reach).max() < _SAME_GRID and (
        np.abs(to_wanted[:3, 3] - shift).max() < _SAME_GRID
    ):
        (z, y, x), voxels = found
        dx, dy, dz = (int(s) for s in shift)
        return (z + dz, y + dy, x + dx), voxels
    return _nearest(found, to_wanted)


def united(a: Crop, b: Crop) -> Crop:
    """``b`` pasted over ``a``: ``b``'s crop exactly as it is, ``a`` outside of it."""
    lo = np.minimum(a[0], b[0])
    hi = np.maximum(np.add(a[0], a[1].shape), np.add(b[0], b[1].shape))
    out = np.zeros(hi - lo, bool)
    for start, voxels in (a, b):
        out[tuple(slice(s - o, s - o + n) for s, o, n in zip(start, lo, voxels.shape, strict=True))] = voxels
    return (int(lo[0]), int(lo[1]), int(lo[2])), out


def _nearest(found: Crop, to_wanted: Floats) -> Crop | None:
    """Resample a crop: every wanted voxel takes the value of the source voxel its centre lies in."""
    (z, y, x), voxels = found
    depth, height, width = voxels.shape
    ends = [(x - 0.5, x + width - 0.5), (y - 0.5, y + height - 0.5), (z - 0.5, z + depth - 0.5)]
    corners = np.array([[a, b, c] for a in ends[0] for b in ends[1] for c in ends[2]])
    corners = corners @ to_wanted[:3, :3].T + to_wanted[:3, 3]
    lo, hi = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int) + 1
    inverse = np.linalg.inv(to_wanted)
    out = np.zeros((hi - lo)[::-1], bool)
    grid_y, grid_x = np.mgrid[lo[1] : hi[1], lo[0] : hi[0]]
    for k in range(out.shape[0]):  # slice by slice: index arrays of a whole organ would be 24 times its voxels
        point = np.stack([grid_x, grid_y, np.full_like(grid_x, lo[2] + k)], -1)
        # a hair below .5, so that a centre on a border between two voxels always falls on the same side
        index = np.ceil(point @ inverse[:3, :3].T + inverse[:3, 3] - 0.5 - 1e-6).astype(int)[..., ::-1] - (z, y, x)
        inside = ((index >= 0) & (index < voxels.shape)).all(-1)
        out[k][inside] = voxels[tuple(index[inside].T)]
    return _trimmed(((int(lo[2]), int(lo[1]), int(lo[0])), out))


def _trimmed(crop: Crop) -> Crop | None:
    (z, y, x), voxels = crop
    spans = []
    for axis in range(3):
        used = np.flatnonzero(voxels.any(tuple(a for a in range(3) if a != axis)))
        if not used.size:
            return None
        spans.append(slice(int(used[0]), int(used[-1]) + 1))
    return (z + spans[0].start, y + spans[1].start, x + spans[2].start), voxels[tuple(spans)].copy()

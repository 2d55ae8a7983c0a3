"""Find the patient first: the part of a coarse grid that holds the body, so that field of view and couch cost nothing.

papers/001 finds the body per slice by threshold and contours; here once in 3D on the locator's coarse grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
from .used import used_box

SKIN_HU = -300.0
LOOK_MM, BEYOND_MM = 8.0, 30.0


def something_box(volume: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last index (z, y, x) of the standard array between which a CT holds anything but air.

    Only every ``LOOK_MM`` is a voxel looked at, and ``BEYOND_MM`` are added on all sides for what lies between: a third
    of a large field of view is air that need not be resampled. The whole array if nothing is seen.
    """
    geometry, voxels = volume.standard.geometry, volume.standard.voxels
    spacing = np.asarray(geometry.spacing_zyx_mm)
    step = np.maximum(LOOK_MM / spacing, 1).astype(int)
    seen = voxels[:: step[0], :: step[1], :: step[2]] > SKIN_HU
    last = np.asarray(geometry.shape_zyx, float) - 1
    if not seen.any():
        return np.zeros(3), last
    used = [np.flatnonzero(seen.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    ends = np.array([[u[0], u[-1]] for u in used]).T * step
    return np.clip(ends[0] - BEYOND_MM / spacing, 0, last), np.clip(ends[1] + BEYOND_MM / spacing, 0, last)


def body_box(coarse: NDArray[np.float32], pad: int = 2) -> tuple[slice, slice, slice] | None:
    """Index box of the body in a coarse CT ``(z, y, x)``, ``pad`` voxels wider; None if there is no body.

    The largest connected part above -300 HU after an opening, which lets go of sheets one voxel thin (couch shells,
    masks). A couch that stays attached makes the box larger, not wrong.
    """
    from scipy import ndimage  # half a second, which Slicer's start must not wait for

    dense = coarse > SKIN_HU
    opened = opening(dense)
    inside = opened if opened.any() else dense
    labels, count = ndimage.label(inside)
    if count > 1:
        inside = labels == 1 + np.argmax(np.bincount(labels[inside])[1:])
    found = used_box(inside)
    if found is None:
        return None
    z, y, x = (slice(max(0, s.start - pad), min(n, s.stop + pad)) for s, n in zip(found, coarse.shape, strict=True))
    return z, y, x


def opening(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is left after an erosion and a dilation with the six neighbours; beyond the grid there is nothing."""
    return _with_neighbours(_with_neighbours(inside, np.logical_and), np.logical_or)


def _with_neighbours(inside: NDArray[np.bool_], join: np.ufunc) -> NDArray[np.bool_]:
    """Each voxel joined with its six neighbours, False beyond the grid; a tenth of the time of ``scipy.ndimage``'s."""
    padded = np.pad(inside, 1)
    out = inside.copy()
    for axis in range(3):
        for shift in (0, 2):
            part = [slice(1, -1)] * 3
            part[axis] = slice(shift, shift + inside.shape[axis])
            join(out, padded[tuple(part)], out=out)
    return out

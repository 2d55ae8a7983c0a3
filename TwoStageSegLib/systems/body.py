"""Find the patient first: the part of a coarse grid that holds the body, so that field of view and couch cost nothing.

papers/001 finds the body per slice by threshold and contours; here once in 3D on the locator's coarse grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SKIN_HU = -300.0


def body_box(coarse: NDArray[np.float32], pad: int = 2) -> tuple[slice, slice, slice] | None:
    """Index box of the body in a coarse CT ``(z, y, x)``, ``pad`` voxels wider; None if there is no body.

    The largest connected part above -300 HU after an opening, which lets go of sheets one voxel thin (couch shells,
    masks). A couch that stays attached makes the box larger, not wrong.
    """
    from scipy import ndimage  # half a second, which Slicer's start must not wait for

    dense = coarse > SKIN_HU
    opened = ndimage.binary_opening(dense, ndimage.generate_binary_structure(3, 1))
    labels, count = ndimage.label(opened if opened.any() else dense)
    if count == 0:
        return None
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    found = ndimage.find_objects(labels)[largest - 1]
    z, y, x = (slice(max(0, s.start - pad), min(n, s.stop + pad)) for s, n in zip(found, coarse.shape, strict=True))
    return z, y, x

"""The smallest boxes that hold all that is True: labelling and measuring only those is fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice, slice]


def used_box(inside: NDArray[np.bool_]) -> Box | None:
    """The smallest box ``(z, y, x)`` that holds all that is True; None if nothing is."""
    whole = slice(None)
    box = [whole, whole, whole]
    for axis in range(3):
        found = _extent(np.asarray(inside[tuple(box)].any(tuple(a for a in range(3) if a != axis))))
        if found is None:
            return None
        box[axis] = found
    return box[0], box[1], box[2]


def used_boxes(inside: NDArray[np.bool_]) -> list[Box | None]:
    """``used_box`` of each of several maps ``(n, z, y, x)``; a third of the time if they are interleaved in memory."""
    over_z, over_y = np.asarray(inside.any(1)), np.asarray(inside.any(2))
    boxes: list[Box | None] = []
    for yx, zx in zip(over_z, over_y, strict=True):
        z, y, x = _extent(zx.any(1)), _extent(yx.any(1)), _extent(yx.any(0))
        boxes.append(None if z is None or y is None or x is None else (z, y, x))
    return boxes


def _extent(used: NDArray[np.bool_]) -> slice | None:
    """From the first to the last True of one axis."""
    where = np.flatnonzero(used)
    return slice(int(where[0]), int(where[-1]) + 1) if where.size else None

"""Viewing planes and the one-pixel lines drawn into their pictures: outlines, boxes, crosses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid

SIZE_PX = 280


@dataclass(frozen=True)
class Plane:
    """A viewing plane: the standard array axis it cuts, and which patient sides its four edges face."""

    name: str
    axis: int
    left: str
    right: str
    top: str
    bottom: str


PLANES = (
    Plane("Axial", 0, "R", "L", "A", "P"),
    Plane("Coronal", 1, "R", "L", "S", "I"),
    Plane("Sagittal", 2, "A", "P", "S", "I"),
)


def outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels inside with a 4-neighbour outside; the picture's border is no outline."""
    p = np.pad(inside, 1, mode="edge")
    return inside & ~(p[:-2, 1:-1] & p[2:, 1:-1] & p[1:-1, :-2] & p[1:-1, 2:])


def grown(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    p = np.pad(inside, 1)
    return inside | p[:-2, 1:-1] | p[2:, 1:-1] | p[1:-1, :-2] | p[1:-1, 2:]


def cross(plane: Plane, grid: Grid, point: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A small cross where the user clicked, if the click is within two slices of this one."""
    out = np.zeros((SIZE_PX, SIZE_PX), bool)
    if abs(point[plane.axis] - grid.start[plane.axis]) <= 2:
        r, c = (round((point[a] - grid.start[a]) / grid.step[a]) for a in range(3) if a != plane.axis)
        r = r if plane.axis == 0 else SIZE_PX - 1 - r
        if 6 <= r < SIZE_PX - 6 and 6 <= c < SIZE_PX - 6:
            out[r - 6 : r + 7, c] = out[r, c - 6 : c + 7] = True
    return out


def frame(plane: Plane, grid: Grid, box: tuple[NDArray, NDArray]) -> NDArray[np.bool_]:
    """The box's rectangle in the picture, one pixel wide; nothing if the slice does not cut the box."""
    out = np.zeros((SIZE_PX, SIZE_PX), bool)
    cut = grid.start[plane.axis]
    if not box[0][plane.axis] - 0.5 <= cut <= box[1][plane.axis] + 0.5:
        return out
    rows, columns = (a for a in range(3) if a != plane.axis)
    ends = [np.round((np.array([b[a] for b in box]) - grid.start[a]) / grid.step[a]) for a in (rows, columns)]
    (r0, r1), (c0, c1) = ((int(e[0]), int(e[1])) for e in ends)
    if plane.axis != 0:
        r0, r1 = SIZE_PX - 1 - r1, SIZE_PX - 1 - r0
    r, c = slice(max(r0, 0), max(r1 + 1, 0)), slice(max(c0, 0), max(c1 + 1, 0))
    for line in (r0, r1):
        if 0 <= line < SIZE_PX:
            out[line, c] = True
    for line in (c0, c1):
        if 0 <= line < SIZE_PX:
            out[r, line] = True
    return out

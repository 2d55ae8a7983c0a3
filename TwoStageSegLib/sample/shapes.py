"""Solids with a signed distance: what the synthetic patient is made of.

Every shape lives in the *anatomy frame*: LPS millimetres (x left, y back, z up) around the brainstem's centre, before
the patient's pose. ``distance`` is approximate (first order), negative inside, in mm; ``bounds`` hold the solid.
The ellipse distance is Inigo Quilez's first-order bound ``k0 (k0 - 1) / k1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]
Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]
Point = tuple[float, float, float]
TABLE_STEP_MM = 0.5


class Shape(Protocol):
    """A solid. ``bounds`` are two xyz points around its part between two heights; coordinates are float32 arrays."""

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds: ...

    def distance(self, x: Array, y: Array, z: Array) -> Array: ...


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid of ``radii`` mm, tilted by ``pitch`` radians about x (positive lifts the back)."""

    centre: Point
    radii: Point
    pitch: float = 0.0

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        reach = np.array(self.radii) if self.pitch == 0 else np.array([self.radii[0], *2 * [max(self.radii[1:])]])
        return np.array(self.centre) - reach, np.array(self.centre) + reach

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        u, v, w = _local(self.centre, self.pitch, x, y, z)
        a, b, c = self.radii
        k0 = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2)
        k1 = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + (w / c**2) ** 2)
        return k0 * (k0 - 1) / np.maximum(k1, 1e-6)


@dataclass(frozen=True)
class Block:
    """A box of ``half`` edge lengths (mm) with rounded corners (a superellipsoid of order 4), tilted like Ellipsoid."""

    centre: Point
    half: Point
    pitch: float = 0.0

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        reach = np.array([self.half[0], *2 * [float(np.hypot(*self.half[1:])) if self.pitch else 0.0]])
        reach = np.maximum(reach, self.half)
        return np.array(self.centre) - reach, np.array(self.centre) + reach

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        u, v, w = _local(self.centre, self.pitch, x, y, z)
        a, b, c = self.half
        r = np.sqrt(np.sqrt((u / a) ** 4 + (v / b) ** 4 + (w / c) ** 4))
        return (r - 1) * min(self.half)


@dataclass(frozen=True, eq=False)
class Column:
    """A stack of ellipses: ``knots`` rows are (z, centre x, centre y, half-width x, half-width y), z ascending, mm."""

    knots: NDArray[np.float64]
    smooth_mm: float = 8.0

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        k = self.knots
        ends = np.clip((z0 - self.smooth_mm, z1 + self.smooth_mm), k[0, 0], k[-1, 0])
        middle = k[(k[:, 0] > ends[0]) & (k[:, 0] < ends[1])]
        cuts = [[e, *(np.interp(e, k[:, 0], k[:, i]) for i in range(1, 5))] for e in ends]
        k = np.vstack([cuts[0], middle, cuts[1]])
        lo = np.array([(k[:, 1] - k[:, 3]).min(), (k[:, 2] - k[:, 4]).min(), k[0, 0]])
        hi = np.array([(k[:, 1] + k[:, 3]).max(), (k[:, 2] + k[:, 4]).max(), k[-1, 0]])
        return lo, hi

    @cached_property
    def _tables(self) -> tuple[Array, ...]:
        """Centre and half-widths every ``TABLE_STEP_MM``: a table look-up is several times faster than np.interp."""
        z = np.arange(self.knots[0, 0], self.knots[-1, 0] + TABLE_STEP_MM, TABLE_STEP_MM)
        n = max(3, int(self.smooth_mm / TABLE_STEP_MM) | 1)
        window = np.hanning(n + 2)[1:-1]
        tables = []
        for i in range(1, 5):
            values = np.interp(z, self.knots[:, 0], self.knots[:, i])
            values = np.pad(values, n // 2, mode="reflect", reflect_type="odd")
            tables.append(np.convolve(values, window / window.sum(), "valid").astype(np.float32))
        return tuple(tables)

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        z0, z1 = float(self.knots[0, 0]), float(self.knots[-1, 0])
        cx, cy, a, b = self._tables
        row = np.clip((z - z0) * (1 / TABLE_STEP_MM) + 0.5, 0, len(cx) - 1).astype(np.int32)
        a, b = np.maximum(a, 0.2), np.maximum(b, 0.2)
        inverse_a, inverse_b = (1 / a)[row], (1 / b)[row]
        u, v = (x - cx[row]) * inverse_a, (y - cy[row]) * inverse_b
        k0 = np.sqrt(u * u + v * v)
        u *= inverse_a
        v *= inverse_b
        side = k0 * (k0 - 1) / np.maximum(np.sqrt(u * u + v * v), 1e-6)
        return np.maximum(side, np.maximum(z0 - z, z - z1))


@dataclass(frozen=True, eq=False)
class Wall:
    """An upright wall along a path: the mandible, rows of teeth. Rows are (x, y, bottom z, top z), mm."""

    path: NDArray[np.float64]
    half_thickness: float

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        p, t = self.path, self.half_thickness
        lo = np.array([p[:, 0].min() - t, p[:, 1].min() - t, p[:, 2].min()])
        return lo, np.array([p[:, 0].max() + t, p[:, 1].max() + t, p[:, 3].max()])

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        best = np.full(np.shape(x), np.inf, np.float32)
        for (x0, y0, lo0, hi0), (x1, y1, lo1, hi1) in zip(self.path[:-1].tolist(), self.path[1:].tolist(), strict=True):
            dx, dy = x1 - x0, y1 - y0
            t = np.clip(((x - x0) * dx + (y - y0) * dy) * (1 / max(dx * dx + dy * dy, 1e-6)), 0, 1)
            side = np.hypot(x - x0 - t * dx, y - y0 - t * dy) - self.half_thickness
            ends = np.maximum(lo0 + t * (lo1 - lo0) - z, z - hi0 - t * (hi1 - hi0))
            best = np.minimum(best, np.maximum(side, ends))
        return best


@dataclass(frozen=True)
class Union:
    """Everything that lies in any of the parts; ``fillet_mm`` rounds the grooves where parts meet."""

    parts: tuple[Shape, ...]
    fillet_mm: float = 0.0

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        boxes = [p.bounds(z0, z1) for p in self.parts]
        reached = [b for b in boxes if b[0][2] <= z1 and b[1][2] >= z0] or boxes[:1]
        return np.min([b[0] for b in reached], axis=0), np.max([b[1] for b in reached], axis=0)

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        out: Array | None = None
        z0, z1 = float(z.min()) - 2 * self.fillet_mm, float(z.max()) + 2 * self.fillet_mm
        for part in self.parts:
            lo, hi = part.bounds(z0, z1)
            if out is not None and (lo[2] > z1 or hi[2] < z0):
                continue  # too far up or down to matter here
            more = part.distance(x, y, z)
            out = more if out is None else _smooth_minimum(out, more, self.fillet_mm)
        assert out is not None
        return out


@dataclass(frozen=True)
class Grown:
    """A shape grown (or, negative, shrunk) by ``mm`` along its border."""

    shape: Shape
    mm: float

    def bounds(self, z0: float = -np.inf, z1: float = np.inf) -> Bounds:
        more = max(self.mm, 0.0)
        lo, hi = self.shape.bounds(z0 - more, z1 + more)
        return lo - more, hi + more

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        return self.shape.distance(x, y, z) - np.float32(self.mm)


def column(rows: ArrayLike, smooth_mm: float = 8.0) -> Column:
    """A Column from rows in any order."""
    knots = np.asarray(rows, float)
    return Column(knots[np.argsort(knots[:, 0])], smooth_mm)


def tube(points: Sequence[Point], radius: float) -> Column:
    """A round column through (x, y, z) points, for vessels and muscles that run mostly up and down."""
    return column([(z, x, y, radius, radius) for x, y, z in points])


def _smooth_minimum(a: Array, b: Array, width_mm: float) -> Array:
    """The smaller of two distances; within ``width_mm`` of equality a little less (Quilez's quadratic minimum)."""
    if width_mm == 0:
        return np.minimum(a, b)
    near = np.maximum(np.float32(width_mm) - np.abs(a - b), 0)
    return np.minimum(a, b) - near * near * np.float32(0.25 / width_mm)


def _local(centre: Point, pitch: float, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    u, v, w = x - centre[0], y - centre[1], z - centre[2]
    if pitch == 0:
        return u, v, w
    cos, sin = float(np.cos(pitch)), float(np.sin(pitch))
    return u, v * cos + w * sin, w * cos - v * sin

"""Where voxels are: the one place that turns indices into millimetres and odd orientations into one standard.

Conventions: arrays and indices are ``(z, y, x)``; physical points are LPS millimetres ``(x, y, z)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Geometry:
    """A voxel grid in patient space.

    Parameters
    ----------
    shape_zyx : number of voxels along the array axes.
    origin_lps : centre of voxel ``[0, 0, 0]``, LPS mm.
    spacing_xyz_mm : distance of neighbouring voxel centres along x, y, z (the array axes 2, 1, 0).
    direction : 3x3, columns are the unit LPS directions of x, y, z; may be oblique or left-handed.
    """

    shape_zyx: tuple[int, int, int]
    origin_lps: tuple[float, float, float]
    spacing_xyz_mm: tuple[float, float, float]
    direction: tuple[tuple[float, float, float], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    @property
    def spacing_zyx_mm(self) -> tuple[float, float, float]:
        x, y, z = self.spacing_xyz_mm
        return z, y, x

    @property
    def extent_zyx_mm(self) -> Floats:
        """Full size including half a voxel at both ends, mm."""
        return np.asarray(self.shape_zyx) * np.asarray(self.spacing_zyx_mm)

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.spacing_xyz_mm)) / 1000.0

    @cached_property
    def matrix(self) -> Floats:
        """4x4 that maps homogeneous ``(x, y, z, 1)`` indices to LPS mm."""
        m = np.eye(4)
        m[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing_xyz_mm)
        m[:3, 3] = self.origin_lps
        return m

    @cached_property
    def _inverse(self) -> Floats:
        return np.asarray(np.linalg.inv(self.matrix), np.float64)

    def index_to_lps(self, index_zyx: ArrayLike) -> Floats:
        """LPS mm of one index or of an ``(n, 3)`` array of (fractional) ``(z, y, x)`` indices."""
        xyz = np.asarray(index_zyx, float)[..., ::-1]
        return xyz @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def lps_to_index(self, points_lps: ArrayLike) -> Floats:
        """Fractional ``(z, y, x)`` index of LPS points, shape ``(3,)`` or ``(n, 3)``."""
        xyz = np.asarray(points_lps, float) @ self._inverse[:3, :3].T + self._inverse[:3, 3]
        return xyz[..., ::-1]

    def contains(self, point_lps: ArrayLike) -> bool:
        """True if the point lies inside the volume, half a voxel beyond the outer centres included."""
        index = self.lps_to_index(point_lps)
        return bool(np.all(index >= -0.5 - 1e-6) and np.all(index <= np.asarray(self.shape_zyx) - 0.5 + 1e-6))


@dataclass(frozen=True)
class AxisMap:
    """How an input array is permuted and flipped to the standard orientation, and back. Views, never copies."""

    order: tuple[int, int, int]
    flip: tuple[bool, bool, bool]

    def to_standard(self, array_zyx: NDArray) -> NDArray:
        return array_zyx.transpose(self.order)[self._slices]

    def to_input(self, array_standard: NDArray) -> NDArray:
        return array_standard[self._slices].transpose(np.argsort(self.order))

    def start_to_input(
        self, start: tuple[int, ...], shape: tuple[int, ...], full_shape: tuple[int, ...]
    ) -> tuple[int, int, int]:
        """Where a sub-array at ``start`` of the standard array begins in the input array.

        ``shape`` is the sub-array's and ``full_shape`` the whole array's, both in standard orientation.
        """
        begins = [n - s - k if f else s for s, k, n, f in zip(start, shape, full_shape, self.flip, strict=True)]
        z, y, x = (begins[i] for i in np.argsort(self.order))
        return z, y, x

    def start_to_standard(
        self, start: tuple[int, ...], shape: tuple[int, ...], full_shape: tuple[int, ...]
    ) -> tuple[int, int, int]:
        """The inverse of ``start_to_input``: start and shapes are those of the input array."""
        pairs = zip(self.order, self.flip, strict=True)
        z, y, x = (full_shape[a] - start[a] - shape[a] if f else start[a] for a, f in pairs)
        return z, y, x

    @property
    def _slices(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1) if f else slice(None) for f in self.flip)


def standardise(geometry: Geometry) -> tuple[AxisMap, Geometry]:
    """The axis map that brings an array closest to LPS order (z up, y back, x left), and the resulting grid.

    A rigid rotation that is left over (an oblique scan) stays in the returned geometry's direction: the array is
    processed in its own axes, which follow the scan plane that the radiographer chose. Nothing is resampled.
    """
    direction = np.asarray(geometry.direction)
    # assignment[p] = input array's x/y/z axis that runs along patient axis p; the best of six permutations
    assignment = max(permutations(range(3)), key=lambda a: _alignment(direction, a))
    order_xyz = [int(a) for a in assignment]
    flip_xyz = [bool(direction[p, a] < 0) for p, a in enumerate(order_xyz)]
    order = (2 - order_xyz[2], 2 - order_xyz[1], 2 - order_xyz[0])
    axis_map = AxisMap(order, (flip_xyz[2], flip_xyz[1], flip_xyz[0]))

    shape = tuple(geometry.shape_zyx[i] for i in order)
    first_index_xyz = np.zeros(3)
    for p, a in enumerate(order_xyz):
        if flip_xyz[p]:
            first_index_xyz[a] = geometry.shape_zyx[2 - a] - 1
    origin = rounded(geometry.index_to_lps(first_index_xyz[::-1]))
    signs = np.where(flip_xyz, -1.0, 1.0)
    columns = direction[:, order_xyz] * signs + 0.0
    spacing = tuple(float(geometry.spacing_xyz_mm[a]) for a in order_xyz)
    standard = Geometry(
        (int(shape[0]), int(shape[1]), int(shape[2])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        (spacing[0], spacing[1], spacing[2]),
        tuple((float(r[0]), float(r[1]), float(r[2])) for r in columns),
    )
    return axis_map, standard


def rounded(values: ArrayLike) -> Floats:
    """Values to the nearest multiple of 2**-20 (of mm: a nanometre), so that 48 orientations of a scan agree exactly.

    Not to decimals: the usual spacing 500/512 = 0.9765625 makes coordinates that end in a 5 at the seventh decimal,
    where the last bit of a computation would decide which way they are rounded.
    """
    return np.round(np.asarray(values, float) * 2**20) / 2**20 + 0.0


def _alignment(direction: Floats, assignment: tuple[int, ...]) -> tuple[float, ...]:
    """How well array axes ``assignment`` run along the patient's x, y, z; larger is better.

    At a tie (a scan rotated by 45 degrees) the resulting axes themselves decide, not their order in the array.
    """
    columns = direction[:, list(assignment)]
    along = np.diagonal(columns)
    upright = columns * np.where(along < 0, -1.0, 1.0)
    return (round(float(np.abs(along).sum()), 6), *(float(v) for v in np.round(upright, 6).ravel() + 0.0))

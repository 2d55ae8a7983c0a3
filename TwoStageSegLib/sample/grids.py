"""Where the synthetic patient lies in the scanner, the voxel grid around it, and its division into slabs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry
from .anatomy import Anatomy
from .part import Chance
from .pose import Pose
from .shapes import Array, Shape
from .surroundings import FIELD_OF_VIEW_MM, Surroundings, draw_surroundings

COARSE_MM = 10.0
REACH_MM = 15.0  # more than the distance of any voxel to the nearest coarse node, in the anatomy frame

Axis = NDArray[np.float64]
Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Slab:
    """Neighbouring slices of a grid: scanner mm of the voxel centres along x, y, z; ``first`` is its first slice."""

    x_mm: Axis
    y_mm: Axis
    z_mm: Axis
    pose: Pose
    first: int = 0

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        return len(self.z_mm), len(self.y_mm), len(self.x_mm)

    def anatomy(self, part: Slices) -> tuple[Array, Array, Array]:
        """Anatomy coordinates x, y, z of a part of the slab, float32 ``(z, y, x)`` arrays."""
        return self.pose.to_anatomy(self.x_mm[part[2]], self.y_mm[part[1]], self.z_mm[part[0]])

    @cached_property
    def nodes(self) -> tuple[Array, Array, Array]:
        """Anatomy coordinates of a coarse grid over the slab, its first and last voxels included."""
        axes = (self.x_mm, self.y_mm, self.z_mm)
        counts = [max(2, int(np.ceil((a[-1] - a[0]) / COARSE_MM)) + 1) for a in axes]
        return self.pose.to_anatomy(*(np.linspace(a[0], a[-1], n) for a, n in zip(axes, counts, strict=True)))

    def box(self, shape: Shape) -> Slices:
        """A box of voxels that surely holds the shape's part in this slab; an empty slice if there is none."""
        near = self._near(shape)
        box = []
        for axis in range(3):
            n, count = self.shape_zyx[axis], near.shape[axis]
            used = np.flatnonzero(near.any(tuple(a for a in range(3) if a != axis)))
            if not len(used):
                return slice(0, 0), slice(0, 0), slice(0, 0)
            per_node = (n - 1) / (count - 1)
            box.append(slice(max(0, int((used[0] - 1) * per_node)), min(n, int((used[-1] + 1) * per_node) + 2)))
        return box[0], box[1], box[2]

    def reach_z(self, shapes: list[Shape]) -> tuple[float, float]:
        """Lowest and highest scanner z that the shapes can reach, mm."""
        z = np.linspace(self.z_mm[0], self.z_mm[-1], self.nodes[0].shape[0])
        held = np.any([self._near(s).any((1, 2)) for s in shapes], axis=0)
        return float(z[held].min()), float(z[held].max())

    def _near(self, shape: Shape) -> NDArray[np.bool_]:
        z = self.nodes[2]
        lo, hi = shape.bounds(float(z.min()) - REACH_MM, float(z.max()) + REACH_MM)
        near = np.ones(z.shape, bool)
        for i, values in enumerate(self.nodes):
            near &= (values > lo[i] - REACH_MM) & (values < hi[i] + REACH_MM)
        return near


@dataclass(frozen=True, eq=False)
class Layout:
    """The grid and what is around the patient.

    Parameters
    ----------
    whole : the grid as one slab.
    origin_lps : what the scanner says of the first voxel (an arbitrary shift).
    field_centre_mm : x, y of the round field of view's centre, scanner mm.
    surroundings : None for the body alone.
    """

    whole: Slab
    spacing_xyz_mm: tuple[float, float, float]
    origin_lps: tuple[float, float, float]
    field_centre_mm: tuple[float, float]
    surroundings: Surroundings | None

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.whole.shape_zyx, self.origin_lps, self.spacing_xyz_mm)

    @property
    def border_mm(self) -> float:
        """Width of the ramp at a border: about one voxel."""
        return float(np.prod(self.spacing_xyz_mm) ** (1 / 3))

    def slabs(self, voxels: int) -> Iterator[Slab]:
        """The grid in slabs of about so many voxels: small enough for the processor's cache."""
        w = self.whole
        step = max(1, voxels // (len(w.y_mm) * len(w.x_mm)))
        for start in range(0, len(w.z_mm), step):
            yield Slab(w.x_mm, w.y_mm, w.z_mm[start : start + step], w.pose, start)


def draw_layout(
    c: Chance,
    anatomy: Anatomy,
    pose: Pose,
    spacing_xyz_mm: tuple[float, float, float],
    shape_zyx: tuple[int, int, int] | None,
    surroundings: bool | None,
) -> Layout:
    """Lay a grid around the patient: all organs inside, more or less of head top and chest as chance has it."""
    x, y, z = (np.arange(lo, hi, COARSE_MM) for lo, hi in ((-270, 271), (-190, 221), (-330, 161)))
    scout = Slab(x, y, z, pose)
    inside = anatomy.outline.distance(*scout.nodes) < 0
    wanted = c.flip(0.6)
    organ_z = scout.reach_z([p.shape for p in anatomy.parts if p.organ])
    top = z[inside.any((1, 2))].max() + c.between(8, 20)
    cut, low_top = c.flip(0.3), organ_z[1] + c.between(0, 50)
    top = min(top, low_top) if cut else top
    bottom = organ_z[0] - c.between(0, 25)
    around = draw_surroundings(c, *_backs(inside, y, z, bottom))
    field_centre = c.near(0, 8), 25 + c.near(0, 8)
    planning = wanted if surroundings is None else surroundings
    if planning:
        spans = [(s - FIELD_OF_VIEW_MM / 2, s + FIELD_OF_VIEW_MM / 2) for s in field_centre]
    else:
        body = inside[(z >= bottom) & (z <= top)].any(0)
        spans = [(a[used].min() - 14, a[used].max() + 14) for a, used in ((x, body.any(0)), (y, body.any(1)))]
    axes = _axes([*spans, (bottom, top)], organ_z, spacing_xyz_mm, shape_zyx)
    scanner = np.round([c.near(0, 6), c.near(-160, 60), c.near(-300, 400)], 2)
    ox, oy, oz = (float(np.round(a[0] + o, 3)) for a, o in zip(axes, scanner, strict=True))
    return Layout(Slab(*axes, pose), spacing_xyz_mm, (ox, oy, oz), field_centre, around if planning else None)


def _backs(inside: NDArray[np.bool_], y: Axis, z: Axis, bottom_z: float) -> tuple[float, float]:
    """Scanner y of the back of the head and of the whole body above ``bottom_z``, mm."""
    head = inside[z > -60].any((0, 2))
    return float(y[head].max()) + COARSE_MM / 2, float(y[inside[z >= bottom_z].any((0, 2))].max())


def _axes(
    spans: list[tuple[float, float]],
    organ_z: tuple[float, float],
    spacing_xyz_mm: tuple[float, float, float],
    shape_zyx: tuple[int, int, int] | None,
) -> tuple[Axis, Axis, Axis]:
    """Voxel centres along x, y, z. A given shape is centred; along z its spare length goes above the organs."""
    axes = []
    for i, ((lo, hi), step) in enumerate(zip(spans, spacing_xyz_mm, strict=True)):
        if shape_zyx is None:
            count, first = max(2, round((hi - lo) / step)), lo + step / 2
        else:
            count = shape_zyx[2 - i]
            first = (lo + hi) / 2 - step * (count - 1) / 2
            if i == 2:
                spare = count * step - (organ_z[1] - organ_z[0])
                first = organ_z[0] + float(np.clip(spare / 2, -20, 10))
        axes.append((first + step * np.arange(count)).astype(np.float64))
    return axes[0], axes[1], axes[2]

"""One scan stored in every way: 48 permutations and flips of its axes, and random rigid or mirrored grids."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from TwoStageSegLib.geometry import Geometry


def all_48(voxels: NDArray, geometry: Geometry) -> Iterator[tuple[NDArray, Geometry]]:
    """The scan with its array axes permuted and flipped, each voxel where it was in the patient."""
    step = np.asarray(geometry.direction) * np.asarray(geometry.spacing_xyz_mm)
    for order in permutations(range(3)):  # new array axis k is old array axis order[k]
        for flips in product((False, True), repeat=3):
            turned = voxels.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
            first = [0, 0, 0]
            columns = []
            for new_axis in (2, 1, 0):  # x, y, z of the new array
                old_axis = order[new_axis]
                sign = -1.0 if flips[new_axis] else 1.0
                columns.append(sign * np.asarray(geometry.direction)[:, 2 - old_axis])
                if flips[new_axis]:
                    first[2 - old_axis] = voxels.shape[old_axis] - 1
            origin = np.asarray(geometry.origin_lps) + step @ np.asarray(first, float)
            spacing = [geometry.spacing_xyz_mm[2 - order[k]] for k in (2, 1, 0)]
            yield np.ascontiguousarray(turned), grid(turned.shape, origin, spacing, np.column_stack(columns))


def grid(shape, origin, spacing, direction) -> Geometry:
    """A Geometry from arrays."""
    z, y, x = (int(n) for n in shape)
    rows = tuple((float(r[0]), float(r[1]), float(r[2])) for r in np.asarray(direction, float))
    ox, oy, oz = (float(v) for v in origin)
    sx, sy, sz = (float(v) for v in spacing)
    return Geometry((z, y, x), (ox, oy, oz), (sx, sy, sz), rows)


@st.composite
def geometries(draw, max_size: int = 40) -> Geometry:
    """Any grid: oblique by any angle, half of them left-handed, 0.2 to 10 mm spacing."""
    seed = draw(st.integers(0, 2**32 - 1))
    direction = Rotation.random(random_state=seed).as_matrix()
    if draw(st.booleans()):
        direction = direction * (-1, 1, 1)
    shape = draw(st.tuples(*[st.integers(1, max_size)] * 3))
    origin = draw(st.tuples(*[st.floats(-900, 900)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 10)] * 3))
    return grid(shape, origin, spacing, direction)

"""Distances between surfaces, mm.

A surface is the voxels of a mask with at least one 6-neighbour outside (MONAI's definition; the image's border counts
as outside); distances go from voxel centre to voxel centre. HD95 is the *maximum* of the two directed 95th
percentiles, as papers/003 and MONAI have it; the *mean* of the two is papers/004's and has its own name. On one lesion
they differed by a third, so a table names which it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .crop import Bools, cropped
from .nearest import Floats, nearest

HD95_DEFINITION = "maximum of the two directed 95th percentiles, voxel centres of the 6-connected surface, mm"


class Distances(NamedTuple):
    """From every surface voxel of the first mask to the second's surface, and back, mm.

    A distance to an empty mask is infinite; an empty mask has no distances of its own.
    """

    forth: Floats
    back: Floats

    @property
    def hd95(self) -> float:
        """Maximum of the two directed 95th percentiles (linear between ranks); 0 if both are empty, else infinite."""
        return self._both(lambda a, b: max(float(np.percentile(a, 95)), float(np.percentile(b, 95))))

    @property
    def hd95_mean(self) -> float:
        """Mean of the two directed 95th percentiles (papers/004)."""
        return self._both(lambda a, b: (float(np.percentile(a, 95)) + float(np.percentile(b, 95))) / 2)

    @property
    def mean(self) -> float:
        """Mean over the surface voxels of both masks together (MONAI's symmetric average surface distance)."""
        return self._both(lambda a, b: float(np.concatenate([a, b]).mean()))

    def _both(self, figure: Callable[[Floats, Floats], float]) -> float:
        if len(self.forth) == 0 or len(self.back) == 0:
            return 0.0 if len(self.forth) == len(self.back) else float("inf")
        return figure(self.forth, self.back)


def surface_distances(a: Bools, b: Bools, spacing_zyx_mm: Sequence[float]) -> Distances:
    """Distances between the surfaces of two boolean arrays ``(z, y, x)`` of one shape.

    From point to point, not by a distance map of the crop: the same distances, at a cost that grows with the surface
    and not with the volume.
    """
    edge_a, edge_b = (_surface(m) for m in cropped(a, b))
    count_a, count_b = int(np.count_nonzero(edge_a)), int(np.count_nonzero(edge_b))
    if count_a == 0 or count_b == 0:
        return Distances(np.full(count_a, np.inf), np.full(count_b, np.inf))
    return Distances(*nearest(edge_a, edge_b, spacing_zyx_mm))


def hd95(a: Bools, b: Bools, spacing_zyx_mm: Sequence[float]) -> float:
    """95 % Hausdorff distance, mm, as defined at the top of this file."""
    return surface_distances(a, b, spacing_zyx_mm).hd95


def hd95_mean(a: Bools, b: Bools, spacing_zyx_mm: Sequence[float]) -> float:
    """The variant of papers/004, mm: the mean of the two directed 95th percentiles."""
    return surface_distances(a, b, spacing_zyx_mm).hd95_mean


def mean_surface_distance(a: Bools, b: Bools, spacing_zyx_mm: Sequence[float]) -> float:
    """Average symmetric surface distance, mm."""
    return surface_distances(a, b, spacing_zyx_mm).mean


def _surface(mask: Bools) -> Bools:
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1, 1:-1] & padded[2:, 1:-1, 1:-1]
    for part in ((1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2)):
        inside &= padded[tuple(slice(p, p + n) for p, n in zip(part, mask.shape, strict=True))]
    return np.asarray(mask & ~inside, bool)

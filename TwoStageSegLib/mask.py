"""Mask: an organ's voxels as a crop with its place in the input's own grid. The full-size array is never needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry


@dataclass(frozen=True, eq=False)
class Mask:
    """One organ's segmentation.

    Parameters
    ----------
    organ : TG-263 name.
    voxels : bool crop ``(z, y, x)`` in the *input's* orientation.
    start_zyx : index of the crop's first voxel in the input array.
    geometry : the input's full grid.
    touches_edge : the organ reaches the border of its crop where the image goes on: the region may be too small.
    """

    organ: str
    voxels: NDArray[np.bool_]
    start_zyx: tuple[int, int, int]
    geometry: Geometry
    touches_edge: bool = False

    @property
    def empty(self) -> bool:
        return not bool(self.voxels.any())

    @property
    def volume_ml(self) -> float:
        return float(np.count_nonzero(self.voxels)) * self.geometry.voxel_ml

    @property
    def slices_zyx(self) -> tuple[slice, slice, slice]:
        """Where the crop lies in a full-size array: ``full[mask.slices_zyx] == mask.voxels``."""
        z, y, x = (slice(s, s + n) for s, n in zip(self.start_zyx, self.voxels.shape, strict=True))
        return z, y, x

    def full(self) -> NDArray[np.bool_]:
        """The mask as an array of the input's full shape (for tests and small volumes)."""
        out = np.zeros(self.geometry.shape_zyx, bool)
        out[self.slices_zyx] = self.voxels
        return out

    def trimmed(self) -> Mask:
        """The same mask with the smallest crop that holds it (1 voxel if empty)."""
        if self.empty:
            return Mask(self.organ, self.voxels[:1, :1, :1].copy(), self.start_zyx, self.geometry, self.touches_edge)
        ranges = []
        for axis in range(3):
            used = np.flatnonzero(self.voxels.any(tuple(a for a in range(3) if a != axis)))
            ranges.append((int(used[0]), int(used[-1]) + 1))
        part = self.voxels[tuple(slice(a, b) for a, b in ranges)]
        z, y, x = (s + r[0] for s, r in zip(self.start_zyx, ranges, strict=True))
        return Mask(self.organ, np.ascontiguousarray(part), (z, y, x), self.geometry, self.touches_edge)

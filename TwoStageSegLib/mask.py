"""Mask: an organ's voxels as a crop with its place in the input's own grid. The full-size array is never needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry
from .region import Region, Source

if TYPE_CHECKING:
    from .volume import Volume


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
    def at_image_edge(self) -> bool:
        """The organ reaches a face of the scan itself: part of it may not have been scanned."""
        part = self.trimmed()
        ends = zip(part.start_zyx, part.voxels.shape, self.geometry.shape_zyx, strict=True)
        return not self.empty and any(start == 0 or start + length >= size for start, length, size in ends)

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

    def on_standard(self, volume: Volume) -> tuple[tuple[int, int, int], NDArray[np.bool_]]:
        """(first index, voxels) of this mask of ``volume`` in the volume's standard array."""
        ends = np.stack([np.asarray(self.start_zyx), np.add(self.start_zyx, self.voxels.shape) - 1])
        index = volume.standard.geometry.lps_to_index(self.geometry.index_to_lps(ends))
        z, y, x = (int(i) for i in np.rint(index.min(0)))
        return (z, y, x), volume.standard.axis_map.to_standard(self.voxels)

    def tight_box(self) -> Region:
        """The box around the organ (outer voxel faces), source REFERENCE."""
        part = self.trimmed()
        low = np.asarray(part.start_zyx) - 0.5
        corners = np.stack([self.geometry.index_to_lps(low), self.geometry.index_to_lps(low + part.voxels.shape)])
        return Region.box(self.organ, corners.T.ravel(), Source.REFERENCE)

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

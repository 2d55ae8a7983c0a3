"""Draw an organ along a track of centres: slice by slice, or in chunks of slices (papers/000)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry import rounded
from ..grid import Grid, place
from ..manifest import OrganSpec
from ..volume import Volume
from .crops import multiples_of
from .preprocess import Preprocess
from .runner import Runner, probability
from .shared import onto
from .slice_track import Track

BATCH = 16
Index = tuple[int, int, int]
Piece = tuple[Index, NDArray[np.float32]]
"""First index in the standard array, and probabilities of its voxels from there on."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Probabilities of the standard array's voxels from ``start`` on, NaN where no crop reached; ``cut`` if the organ
    reaches the border of a crop."""

    start: Index
    values: NDArray[np.float32]
    cut: bool

    @property
    def filled(self) -> NDArray[np.float32]:
        return np.nan_to_num(self.values, nan=0.0)

    def on(self, other: Drawing) -> NDArray[np.float32]:
        """These values at the voxels of another drawing of the same scan, NaN where they do not reach."""
        return onto(self.values, self.start, other.start, other.values.shape)


def draw_slices(volume: Volume, track: Track, organ: OrganSpec, drawer: Runner, preprocess: Preprocess) -> Drawing:
    """Each slice of ``track`` in a crop of its own around its centre, with a 2D network."""
    pieces: list[Piece] = []
    cut = False
    crops = [(z, 1, centre) for z, centre in zip(track.slices, track.centres, strict=True)]
    for i in range(0, len(crops), BATCH):
        grids = [_grid(volume, crop, organ, drawer) for crop in crops[i : i + BATCH]]
        images = np.stack([preprocess.image(volume, grid) for grid in grids])
        for grid, map_ in zip(grids, probability(drawer(images)[:, organ.output]), strict=True):
            pieces.append(place(map_[None], grid, volume.standard.geometry.shape_zyx))
            cut |= _at_border(map_, organ.threshold)
    return _joined(pieces, track, volume, cut)


def draw_chunks(
    volume: Volume, track: Track, organ: OrganSpec, drawer: Runner, preprocess: Preprocess, depth: int
) -> Drawing:
    """Chunks of ``depth`` slices, half of them shared with the next, each around the median of its centres, with a 3D
    network; where chunks overlap, their mean."""
    pieces: list[Piece] = []
    cut = False
    for first in chunk_starts(track, depth):
        inside = [c for z, c in zip(track.slices, track.centres, strict=True) if first <= z < first + depth]
        grid = _grid(volume, (first, depth, np.median(inside, 0)), organ, drawer)
        map_ = probability(drawer(preprocess.image(volume, grid)[None, None])[0, organ.output])
        pieces.append(place(map_, grid, volume.standard.geometry.shape_zyx))
        cut |= any(_at_border(plane, organ.threshold) for plane in map_)
    return _joined(pieces, track, volume, cut)


def _grid(volume: Volume, crop: tuple[int, int, NDArray], organ: OrganSpec, drawer: Runner) -> Grid:
    """The crop of (first slice, slices, centre): the scan's own slices, the network's pixels in plane."""
    first, depth, centre = crop
    spacing = np.asarray(drawer.spec.spacing_mm)[1:]
    pixels = multiples_of(np.asarray(organ.crop_mm)[1:] / spacing, drawer.network.multiple)
    step = spacing / np.asarray(volume.standard.geometry.spacing_zyx_mm)[1:]
    y, x = rounded(centre - step * (pixels - 1) / 2)
    return Grid(
        (float(first), float(y), float(x)),
        (1.0, float(step[0]), float(step[1])),
        (depth, int(pixels[0]), int(pixels[1])),
    )


def chunk_starts(track: Track, depth: int) -> Iterator[int]:
    count = len(track.centres)
    if count <= depth:
        yield track.first - (depth - count) // 2
        return
    last = track.first + count - depth
    yield from range(track.first, last, max(1, depth // 2))
    yield last


def _at_border(map_: NDArray[np.float32], threshold: float) -> bool:
    edges = (map_[0], map_[-1], map_[:, 0], map_[:, -1])
    return any(bool((edge > threshold).any()) for edge in edges)


def _joined(pieces: list[Piece], track: Track, volume: Volume, cut: bool) -> Drawing:
    """The mean of the pieces, on the slices of the track and an empty one beyond either end.

    Without those the organ would seem cut off where the track ends.
    """
    full = volume.standard.geometry.shape_zyx
    low_z, high_z = max(0, track.first - 1), min(full[0], track.slices.stop + 1)
    pieces = [(start, values) for start, values in pieces if values.size]
    if not pieces:
        return Drawing((low_z, 0, 0), np.full((high_z - low_z, 1, 1), np.nan, np.float32), False)
    low = np.min([start for start, _ in pieces], 0)
    high = np.max([np.add(start, values.shape) for start, values in pieces], 0)
    low[0], high[0] = low_z, high_z
    total, count = np.zeros(high - low, np.float32), np.zeros(high - low, np.float32)
    for start, values in pieces:
        for z, plane in enumerate(values, start[0]):
            if z in track.slices:
                y, x = start[1] - low[1], start[2] - low[2]
                part = (z - low_z, slice(y, y + plane.shape[0]), slice(x, x + plane.shape[1]))
                total[part] += plane
                count[part] += 1
    values = np.where(count > 0, total / np.maximum(count, 1), np.float32(np.nan)).astype(np.float32)
    return Drawing((int(low[0]), int(low[1]), int(low[2])), values, cut)

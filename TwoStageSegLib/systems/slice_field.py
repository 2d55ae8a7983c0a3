"""What a network that works slice by slice sees of a scan: the slices that hold the body, and a field in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..geometry import Geometry, rounded
from ..grid import Grid
from ..volume import Volume
from .coarse import coarse_body
from .crops import multiples_of
from .preprocess import Preprocess
from .runner import Runner

BODY_MM = (8.0, 8.0, 8.0)
BATCH = 16

Place = tuple[float, float]
"""(y, x), fractional index into the standard array."""


@dataclass(frozen=True)
class Field:
    """The same rectangle of every slice, in a network's pixels.

    Parameters
    ----------
    start, step : index (y, x) of the first pixel's centre in the standard array, and voxels per pixel.
    pixels : how many along y, x.
    """

    start: Place
    step: Place
    pixels: tuple[int, int]

    @classmethod
    def around(cls, middle: ArrayLike, size_mm: ArrayLike, network: Runner, geometry: Geometry) -> Field:
        """What ``network`` sees: as ``of``, with its pixels and poolings."""
        return cls.of(middle, size_mm, network.spec.spacing_mm[1:], network.network.multiple, geometry)

    @classmethod
    def of(
        cls, middle: ArrayLike, size_mm: ArrayLike, spacing_mm: ArrayLike, multiple: int, geometry: Geometry
    ) -> Field:
        """At least ``size_mm`` (one number, or along y, x) around ``middle`` in pixels of ``spacing_mm`` (y, x); sides
        are multiples of ``multiple``."""
        spacing = np.asarray(spacing_mm)
        pixels = multiples_of(np.asarray(size_mm) / spacing, multiple)
        step = spacing / np.asarray(geometry.spacing_zyx_mm)[1:]
        start = rounded(np.asarray(middle) - step * (pixels - 1) / 2)
        return cls(
            (float(start[0]), float(start[1])),
            (float(step[0]), float(step[1])),
            (int(pixels[0]), int(pixels[1])),
        )

    def grid(self, slices: range) -> Grid:
        return Grid((float(slices.start), *self.start), (1.0, *self.step), (len(slices), *self.pixels))


def body_slices(volume: Volume, preprocess: Preprocess) -> tuple[range, Place] | None:
    """The slices of the standard array that hold the body, and the body's middle in plane; None if there is no body."""
    found = coarse_body(volume, BODY_MM, preprocess)
    if found is None:
        return None
    body, depth = found[0], volume.standard.geometry.shape_zyx[0]
    start, extent = np.asarray(body.start), (np.asarray(body.shape) - 1) * body.step
    first = max(0, int(np.floor(start[0] - body.step[0] / 2)))
    last = min(depth - 1, int(np.ceil(start[0] + extent[0] + body.step[0] / 2)))
    _, y, x = (float(v) for v in start + extent / 2)
    return range(first, last + 1), (y, x)


def each_slice(
    volume: Volume, slices: range, field: Field, network: Runner, preprocess: Preprocess
) -> Iterator[NDArray[np.float32]]:
    """The network's logits ``(n, outputs, ...)`` of the slices' field, some slices at a time."""
    for first in range(slices.start, slices.stop, BATCH):
        grid = field.grid(range(first, min(first + BATCH, slices.stop)))
        yield network(preprocess.image(volume, grid)[:, None])

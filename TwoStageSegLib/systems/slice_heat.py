"""Where each slice's centre may be: CenterNet's heatmaps of a whole scan, and what is read from them (papers/000)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
from .preprocess import Preprocess
from .runner import Runner, probability
from .slice_field import Field, Place, body_slices, each_slice


@dataclass(frozen=True, eq=False)
class Heat:
    """Heatmaps of the slices ``first .. first + n - 1`` of the standard array.

    Parameters
    ----------
    maps : per organ, probabilities ``(n, h, w)``.
    start, step : index (y, x) of the middle of cell (0, 0), and voxels per cell.
    """

    first: int
    maps: dict[str, NDArray[np.float32]]
    start: Place
    step: Place

    def peak(self, organ: str, z: int, low: Place | None = None, high: Place | None = None) -> tuple[float, Place]:
        """Height and place of the highest cell of slice ``z`` (of those from ``low`` to ``high``, indices (y, x)).

        The place is the centroid of the 3 x 3 cells around it: a cell is about 4 mm wide. Height 0 if there is no
        such slice or cell.
        """
        maps = self.maps[organ]
        if not 0 <= z - self.first < len(maps):
            return 0.0, (0.0, 0.0)
        map_ = maps[z - self.first]
        if low is not None and high is not None:
            map_ = np.where(self._between(map_.shape, low, high), map_, 0)
        row, column = np.unravel_index(int(map_.argmax()), map_.shape)
        height = float(map_[row, column])
        if height <= 0:
            return 0.0, (0.0, 0.0)
        rows, columns = (slice(max(0, i - 1), i + 2) for i in (int(row), int(column)))
        weight = map_[rows, columns].astype(float)
        y, x = np.mgrid[rows.start : rows.start + weight.shape[0], columns.start : columns.start + weight.shape[1]]
        cell = ((y * weight).sum() / weight.sum(), (x * weight).sum() / weight.sum())
        return height, (self.start[0] + cell[0] * self.step[0], self.start[1] + cell[1] * self.step[1])

    def _between(self, shape: tuple[int, ...], low: Place, high: Place) -> NDArray[np.bool_]:
        y, x = (s + d * np.arange(n) for s, d, n in zip(self.start, self.step, shape, strict=True))
        return ((y >= low[0]) & (y <= high[0]))[:, None] & ((x >= low[1]) & (x <= high[1]))


def slice_heat(volume: Volume, locator: Runner, preprocess: Preprocess, field_mm: float) -> Heat | None:
    """Run the locator on every slice that holds the body; None if there is no body.

    Parameters
    ----------
    field_mm : side of the square that it sees of each slice, 186 mm in papers/000. The paper takes the image's middle;
        here it is the body's, so that a patient off centre is seen as well.
    """
    found = body_slices(volume, preprocess)
    if found is None:
        return None
    slices, middle = found
    field = Field.around(middle, field_mm, locator, volume.standard.geometry)
    logits = np.concatenate(list(each_slice(volume, slices, field, locator, preprocess)))
    maps = probability(logits).transpose(1, 0, 2, 3)
    wide = np.asarray(field.pixels) / np.asarray(maps.shape[2:])  # pixels per cell
    start = np.asarray(field.start) + np.asarray(field.step) * (wide - 1) / 2
    return Heat(
        slices.start,
        dict(zip(locator.spec.outputs, maps, strict=True)),
        (float(start[0]), float(start[1])),
        (float(field.step[0] * wide[0]), float(field.step[1] * wide[1])),
    )

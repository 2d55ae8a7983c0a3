"""From a volume to what a network sees: sampled on a grid, clipped and scaled as the bundle's ``input`` says.

CT values mean the same in every scan. MR values do not: the same tissue is 80 in one scan and 900 in the next. For
such images a bundle names two percentiles of the volume itself; values are then told in thousandths of the range
between them, so that clip, centre and scale stay fixed numbers of about the size of Hounsfield units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..grid import Grid, sample
from ..manifest import InputSpec
from ..volume import Volume

PERCENTILES = (1.0, 99.0)
"""What training takes for images without units: robust against a few bright vessels or dead voxels."""

RANGE_UNITS = 1000.0
"""The value of the high percentile; the low one is 0."""

SOME_VOXELS = 1e6


def value_range(voxels: NDArray, percentiles: Sequence[float]) -> tuple[float, float]:
    """The two percentiles of an image's values, of about a million voxels in a regular pattern.

    Voxels of the smallest value do not count: they are what was blanked outside the patient, and how much of that a
    file holds says nothing about the tissue.

    Raises
    ------
    InputRefused : E_NO_SIGNAL if there is no range between them.
    """
    step = max(1, round((voxels.size / SOME_VOXELS) ** (1 / 3)))
    values = voxels[::step, ::step, ::step].astype(np.float32).ravel()
    signal = values[values > values.min()]
    low, high = (float(v) for v in np.percentile(signal, percentiles)) if signal.size else (0.0, 0.0)
    if not high > low:
        raise InputRefused("E_NO_SIGNAL", "The image holds hardly any different values. Load the original image.")
    return low, high


@dataclass(frozen=True)
class Preprocess:
    """Preprocessing of one bundle; the same for every network in it."""

    spec: InputSpec
    _ranges: WeakKeyDictionary[Volume, tuple[float, float]] = field(
        default_factory=WeakKeyDictionary, repr=False, compare=False
    )

    def image(self, volume: Volume, grid: Grid) -> NDArray[np.float32]:
        """Network input on ``grid``, shape ``grid.shape``."""
        return self.normalised(self.sampled(volume, grid))

    def sampled(self, volume: Volume, grid: Grid, thinned: bool = False) -> NDArray[np.float32]:
        """The volume on ``grid`` in the units of ``spec``; a CT's padding values (-2000, -3024) count as air.

        ``thinned``: see ``grid.sample``; for coarse grids over a whole scan.
        """
        voxels = volume.standard.voxels
        if self.spec.percentiles is None:
            floor = self.spec.outside if self.spec.modality == "CT" else None
            return sample(voxels, grid, self.spec.outside, floor, thinned)
        low, high = self._range(volume)
        unit = (high - low) / RANGE_UNITS
        values = sample(voxels, grid, low + self.spec.outside * unit, thinned=thinned)
        return (values - np.float32(low)) / np.float32(unit)

    def normalised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.clip(values, self.spec.clip[0], self.spec.clip[1], dtype=np.float32)
        out -= np.float32(self.spec.centre)
        out /= np.float32(self.spec.scale)
        return out

    def padded(self, values: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
        """Values ``(D, H, W)`` filled up with outside to sides that are multiples of ``multiple``."""
        return np.pad(values, [(0, -n % multiple) for n in values.shape], constant_values=self.spec.outside)

    def _range(self, volume: Volume) -> tuple[float, float]:
        """The volume's own range; looked up once, in its standard orientation."""
        if volume not in self._ranges:
            assert self.spec.percentiles is not None
            self._ranges[volume] = value_range(volume.standard.voxels, self.spec.percentiles)
        return self._ranges[volume]

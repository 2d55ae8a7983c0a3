"""From a volume to what a network sees: sampled on a grid, clipped and scaled as the bundle's ``input`` says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid, sample
from ..manifest import InputSpec
from ..volume import Volume


@dataclass(frozen=True)
class Preprocess:
    """Preprocessing of one bundle; the same for every network in it."""

    spec: InputSpec

    def image(self, volume: Volume, grid: Grid) -> NDArray[np.float32]:
        """Network input on ``grid``, shape ``grid.shape``."""
        return self.normalised(self.sampled(volume, grid))

    def sampled(self, volume: Volume, grid: Grid) -> NDArray[np.float32]:
        """The volume's own values on ``grid``; a CT's padding values (-2000, -3024) count as air."""
        floor = self.spec.outside if self.spec.modality == "CT" else None
        return sample(volume.standard.voxels, grid, self.spec.outside, floor=floor)

    def normalised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return ((np.clip(values, self.spec.clip[0], self.spec.clip[1]) - self.spec.centre) / self.spec.scale).astype(
            np.float32
        )

    def padded(self, values: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
        """Values ``(D, H, W)`` filled up with outside to sides that are multiples of ``multiple``."""
        return np.pad(values, [(0, -n % multiple) for n in values.shape], constant_values=self.spec.outside)

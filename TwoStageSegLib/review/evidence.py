"""What a segmentation rested on: kept by the system after it segmented an organ, read by the review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Evidence:
    """The networks' opinion of one organ, on the voxels of the *standard* array under its crop.

    Parameters
    ----------
    start_zyx : index of the first voxel in the standard array.
    probability : float32 ``(z, y, x)``.
    threshold : where the mask was cut.
    score : of the location, 0..1; None if it was not automatic.
    again : the probability of the same voxels when the crop is shifted by a few mm, NaN where the shifted crop does
        not reach; None if that was not computed.
    """

    start_zyx: tuple[int, int, int]
    probability: NDArray[np.float32]
    threshold: float
    score: float | None
    again: NDArray[np.float32] | None = None

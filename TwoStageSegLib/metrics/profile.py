"""Slice profiles of organs of different length, made comparable (papers/000, Figure 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def resampled(index: Sequence[int], values: ArrayLike, length: int = 100) -> NDArray[np.float64]:
    """A value per slice, linearly interpolated to ``length`` equal steps from the first slice to the last.

    Parameters
    ----------
    index : slice numbers, rising; a gap between them is bridged. values : one each. length : points of the result.

    Returns
    -------
    ``(length,)``; constant if there is one slice.

    Raises
    ------
    ValueError
        If there is no slice: an organ that nobody drew has no profile.
    """
    if len(index) == 0:
        raise ValueError("no slice has the organ, so there is no profile")
    return np.interp(np.linspace(index[0], index[-1], length), index, np.asarray(values, float))

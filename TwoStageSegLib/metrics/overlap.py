"""Volume overlap: counts of voxels, no distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """``2 |a & b| / (|a| + |b|)`` of two boolean arrays of one shape; 1 if both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 1.0 if total == 0 else 2 * int(np.count_nonzero(a & b)) / total


def jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """``|a & b| / |a | b|`` = Dice / (2 - Dice); 1 if both are empty."""
    overlap = dice(a, b)
    return overlap / (2 - overlap)


def volume_ratio(mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """``|mask| / |reference|``: above 1 too much was drawn (papers/000 does not state its direction; this is ours).

    1 if both are empty, infinite if only the reference is.
    """
    own, true = int(np.count_nonzero(mask)), int(np.count_nonzero(reference))
    if true == 0:
        return 1.0 if own == 0 else float("inf")
    return own / true

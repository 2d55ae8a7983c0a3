"""Balance sampling of papers/001 (section 3.4): all slices that show the target, some of those that do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def balanced_epoch(shows: Sequence[bool], theta: float | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of one epoch's slices, shuffled.

    Parameters
    ----------
    shows : per slice, does it show the target.
    theta : slices without per slice with the target (0: none, 1, 2, 4 in the paper); None for all of them. Drawn
        without replacement, anew at every call, so that over the epochs all are seen.
    """
    flags = np.asarray(shows, bool)
    positive, negative = np.flatnonzero(flags), np.flatnonzero(~flags)
    if theta is not None:
        count = min(round(theta * len(positive)), len(negative))
        negative = rng.choice(negative, count, replace=False)
    return rng.permutation(np.concatenate((positive, negative))).astype(np.int64)

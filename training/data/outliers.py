"""Contours that cannot be the organ: left out of training and calibration, never out of a test.

Clinical data hold contours under an organ's name that mean something else (a "cord" of half a litre that is an
avoidance region, a "parotid" that is only the part to be spared). They are found by size alone: the logarithm of the
volume, or of the mean cross-section for organs whose length varies, further than ``LIMIT`` robust standard deviations
from the training median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .prepared import Case

LIMIT = 3.5
BY_CROSS_SECTION = ("SpinalCord", "Esophagus")
Range = tuple[float, float]


def size_of(case: Case, organ: str) -> float:
    """ml, or ml per mm along z for organs of varying length."""
    voxels = int(np.count_nonzero(case.labels == case.value(organ)))
    ml = voxels * float(np.prod(case.spacing_zyx_mm)) / 1000
    if organ not in BY_CROSS_SECTION:
        return ml
    lo, hi = case.known[organ].box[0]
    return ml / ((hi - lo) * case.spacing_zyx_mm[0])


def plausible_ranges(training: Sequence[Case], limit: float = LIMIT) -> dict[str, Range]:
    """Size range per organ from the whole contours of the training cases: median * exp(+- limit * robust sd)."""
    sizes: dict[str, list[float]] = {}
    for case in training:
        for organ in case.known:
            if case.whole(organ):
                sizes.setdefault(organ, []).append(size_of(case, organ))
    ranges = {}
    for organ, values in sizes.items():
        logs = np.log(values)
        middle = np.median(logs)
        spread = max(1.4826 * float(np.median(np.abs(logs - middle))), 0.05)
        ranges[organ] = (float(np.exp(middle - limit * spread)), float(np.exp(middle + limit * spread)))
    return ranges


def without_outliers(cases: Sequence[Case], ranges: dict[str, Range]) -> list[Case]:
    """The cases with implausible contours marked as unknown. A cut organ may be small, never too large."""
    kept = []
    for case in cases:
        known = {}
        for organ, what in case.known.items():
            low, high = ranges.get(organ, (0.0, np.inf))
            if size_of(case, organ) <= high and (not case.whole(organ) or size_of(case, organ) >= low):
                known[organ] = what
        kept.append(replace(case, known=known))
    return kept

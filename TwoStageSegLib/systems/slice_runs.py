"""Runs of slices that show an organ, from one value per slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def runs_of(heights: Mapping[int, float], present: float, gap: int) -> list[list[int]]:
    """The slices whose value reaches ``present``, as runs in which at most ``gap`` slices in a row are missing."""
    there = sorted(z for z, height in heights.items() if height >= present)
    if not there:
        return []
    parts = np.split(there, np.flatnonzero(np.diff(there) > gap + 1) + 1)
    return [[int(z) for z in part] for part in parts]


def best_run(heights: Mapping[int, float], present: float, gap: int) -> tuple[list[int], float] | None:
    """The run with the greatest sum of values, and its score; None if no slice reaches ``present``.

    The score is the mean value of the run times the part that it has of all runs: a second candidate makes it unsure.
    """
    runs = runs_of(heights, present, gap)
    if not runs:
        return None
    sums = [sum(heights[z] for z in run) for run in runs]
    best = int(np.argmax(sums))
    return runs[best], sums[best] / len(runs[best]) * sums[best] / sum(sums)

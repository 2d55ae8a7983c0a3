"""Which slices show the organ: the F1 of a locator's tracks, and the height of a peak that makes it best.

papers/000 does not print its threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.systems.slice_heat import Heat
from TwoStageSegLib.systems.slice_track import Track, found_track

from .slices import OrganSlices

HIT_MM = 12.0
"""A slice counts as found if its centre is this close to the contour's."""
PRESENT = tuple(round(0.05 * i, 2) for i in range(1, 18))
GAPS_MM = (6.0, 12.0, 24.0)


@dataclass(frozen=True, eq=False)
class Seen:
    """One case's heatmaps (None: no body) and truth. ``spacing_mm``: (z, y, x)."""

    heat: Heat | None
    truth: OrganSlices
    spacing_mm: tuple[float, float, float]

    def track(self, organ: str, present: float, gap_mm: float) -> Track | None:
        gap = int(gap_mm / self.spacing_mm[0])
        return None if self.heat is None else found_track(self.heat, organ, present, gap)

    def errors_mm(self, track: Track) -> NDArray[np.float64]:
        """(y, x) distances of the track's centres from the contour's, in the slices that both have, by slice."""
        common = [i for i, z in enumerate(self.truth.shows) if z in track.slices]
        found = track.centres[self.truth.shows[common] - track.first]
        return (found - self.truth.centres[common]) * np.asarray(self.spacing_mm)[1:]


def track_f1(seen: Sequence[Seen], organ: str, present: float, gap_mm: float) -> float:
    """F1 of the slices that the tracks name, over all cases together. Slices of which nothing is known do not count."""
    hits = named = shown = 0
    for case in seen:
        shown += len(case.truth.shows)
        track = case.track(organ, present, gap_mm)
        if track is None:
            continue
        errors = np.linalg.norm(case.errors_mm(track), axis=1)
        hits += int((errors <= HIT_MM).sum())
        named += len(errors) + int(np.isin(case.truth.empty, np.asarray(track.slices)).sum())
    return 2 * hits / max(named + shown, 1)


def best_presence(
    seen: Sequence[Seen], organ: str, heights: Sequence[float] = PRESENT, gaps_mm: Sequence[float] = GAPS_MM
) -> tuple[float, float, float]:
    """(F1, peak's height from which on a slice shows the organ, gap in mm) with the best F1; the lowest of equals."""
    tried = [(track_f1(seen, organ, height, gap), -height, -gap) for gap in gaps_mm for height in heights]
    f1, height, gap = max(tried)
    return f1, -height, -gap

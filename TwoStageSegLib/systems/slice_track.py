"""Centres slice by slice: found in the heatmaps, inside a drawn box, or followed from one clicked slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .slice_field import Place
from .slice_heat import Heat
from .slice_runs import best_run


@dataclass(frozen=True, eq=False)
class Track:
    """A centre in each of the slices ``first .. first + n - 1`` of the standard array.

    Parameters
    ----------
    centres : ``(n, 2)`` fractional indices (y, x).
    score : mean height of the peaks, times the part that this track has of everything that was found.
    """

    first: int
    centres: NDArray[np.float64]
    score: float = 1.0

    @property
    def slices(self) -> range:
        return range(self.first, self.first + len(self.centres))


def found_track(heat: Heat, organ: str, present: float, gap: int) -> Track | None:
    """The run of slices whose peaks reach ``present``; None if there is none.

    Up to ``gap`` slices in between may lack a peak and get interpolated centres. Of several runs the one with the
    greatest sum of peaks counts: a single slice far away is a mistake.
    """
    peaks = {z: heat.peak(organ, z) for z in range(heat.first, heat.first + len(heat.maps[organ]))}
    best = best_run({z: height for z, (height, _) in peaks.items()}, present, gap)
    if best is None:
        return None
    run, score = best
    return interpolated({z: peaks[z][1] for z in run}, score)


def boxed_track(heat: Heat | None, organ: str, present: float, low: NDArray, high: NDArray) -> Track:
    """A centre in every slice of a drawn box: the peak inside it, else between its neighbours, else the box's middle.

    ``low``, ``high``: indices (z, y, x) of the box's faces.
    """
    first, last = int(np.ceil(low[0])), int(np.floor(high[0]))
    if last < first:
        first = last = round(float(low[0] + high[0]) / 2)
    middle = (float(low[1] + high[1]) / 2, float(low[2] + high[2]) / 2)
    near, far = (float(low[1]), float(low[2])), (float(high[1]), float(high[2]))
    known: dict[int, Place] = {}
    if heat is not None:
        seen = {z: heat.peak(organ, z, near, far) for z in range(first, last + 1)}
        known = {z: place for z, (height, place) in seen.items() if height >= present}
    return interpolated(known or {first: middle}, 1.0, first, last)


def followed_track(
    anchor: int,
    place: Place,
    depth: int,
    peak_near: Callable[[int, Place], Place | None],
    drawn_near: Callable[[int, Place], Place | None],
    alone: int,
    gap: int,
) -> Track:
    """The track through a clicked slice: from each slice the neighbour's centre is looked for close by.

    Where the locator sees the organ at the click, it also says where the organ ends.

    Parameters
    ----------
    anchor, place : the clicked slice and centre, which stay. depth : slices of the scan.
    peak_near : the heatmap's centre in a slice close to a place, if there is one. drawn_near : else the middle of what
        the segmenter draws there, so that an organ the locator cannot see is followed too; None ends the track.
    alone : how many slices in a row may be followed without the locator. gap : the same where it sees the click.
    """
    centres = {anchor: place}
    sees = peak_near(anchor, place) is not None
    for way in (1, -1):
        here, unseen, z = place, 0, anchor + way
        found: dict[int, Place] = {}
        while 0 <= z < depth:
            there = peak_near(z, here)
            unseen = 0 if there is not None else unseen + 1
            if there is None and unseen <= (gap if sees else alone):
                there = drawn_near(z, here)
            if there is None:
                break
            if not (sees and unseen):  # what lies between two seen slices is interpolated, what lies beyond is not it
                found[z] = there
            here = there
            z += way
        centres |= found
    return interpolated(centres, 1.0)


def interpolated(known: dict[int, Place], score: float, first: int | None = None, last: int | None = None) -> Track:
    """A track from some slices' centres, linear in between, constant beyond the outermost."""
    slices = sorted(known)
    wanted = np.arange(slices[0] if first is None else first, (slices[-1] if last is None else last) + 1)
    centres = [np.interp(wanted, slices, [known[z][axis] for z in slices]) for axis in (0, 1)]
    return Track(int(wanted[0]), np.stack(centres, 1), score)


def refined_track(track: Track, start: tuple[int, int, int], inside: NDArray[np.bool_]) -> Track:
    """The fine centres of papers/000: each slice's centroid of a 3D mask (standard array, from index ``start``).

    Where the mask is empty between two slices that it reaches, the centre lies between theirs; before the first and
    after the last the coarse centre stays.
    """
    centroid: dict[int, Place] = {}
    for z, plane in enumerate(inside, start[0]):
        if z in track.slices and plane.any():
            y, x = np.argwhere(plane).mean(0)
            centroid[z] = (float(y + start[1]), float(x + start[2]))
    if not centroid:
        return track
    fine = interpolated(centroid, track.score)
    centres = track.centres.copy()
    begin = fine.first - track.first
    centres[begin : begin + len(fine.centres)] = fine.centres
    return Track(track.first, centres, track.score)

"""What a prepared case says of one organ slice by slice, and the slices and the field that the engine sees of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.systems.preprocess import Preprocess
from TwoStageSegLib.systems.slice_field import Place, body_slices
from TwoStageSegLib.systems.slice_track import Track

from ...data.prepared import Case
from ...reference import volume_of


@dataclass(frozen=True, eq=False)
class OrganSlices:
    """One organ in one case.

    Parameters
    ----------
    shows : indices of the slices that hold the contour. centres : its centroid in each, fractional index (y, x).
    empty : slices that surely do not show the organ. Where a contour ends because the scan or the contouring does (the
        organ is not whole), the slices beyond are neither.
    """

    shows: NDArray[np.int64]
    centres: NDArray[np.float64]
    empty: NDArray[np.int64]

    @property
    def track(self) -> Track:
        """A centre in every slice from the contour's first to its last, between the neighbours' where it has a gap."""
        wanted = np.arange(self.shows[0], self.shows[-1] + 1)
        between = [np.interp(wanted, self.shows, self.centres[:, axis]) for axis in (0, 1)]
        return Track(int(wanted[0]), np.stack(between, 1))

    def centre_at(self, z: int) -> NDArray[np.float64]:
        """The centre of slice ``z``; beyond the ends the outermost one."""
        return np.array([np.interp(z, self.shows, self.centres[:, axis]) for axis in (0, 1)])


def organ_slices(case: Case, organ: str) -> OrganSlices:
    """Read the contour of ``organ``; a case that does not know the organ has neither slices with nor without it."""
    everything = np.arange(len(case.ct))
    none = np.zeros(0, np.int64)
    if organ not in case.known:
        return OrganSlices(none, np.zeros((0, 2)), everything if organ in case.absent else none)
    inside = case.labels == case.value(organ)
    shows = np.flatnonzero(inside.any((1, 2)))
    centres = np.array([np.argwhere(inside[z]).mean(0) for z in shows]).reshape(-1, 2)
    whole = case.whole(organ) and shows.size > 0
    beyond = everything[(everything < shows[0]) | (everything > shows[-1])] if whole else none
    return OrganSlices(shows, centres, beyond)


def seen_of(case: Case, preprocess: Preprocess) -> tuple[range, Place]:
    """The slices that hold the body and the body's middle (y, x), as the running system finds them."""
    found = body_slices(volume_of(case), preprocess)
    depth, height, width = case.ct.shape
    return found or (range(depth), ((height - 1) / 2, (width - 1) / 2))

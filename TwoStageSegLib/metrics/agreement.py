"""Every figure of one organ against its reference, from one crop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry, standardise
from ..mask import Mask
from .crop import together
from .overlap import dice, jaccard, volume_ratio
from .path import PathLength, added_path_length
from .slices import SliceAgreement, SliceCounts, counted, slice_agreements
from .surface import surface_distances
from .surfels import surface_dice
from .tolerances import tolerance_mm


class Outcome(StrEnum):
    """What there was to compare."""

    COMPARED = "compared"
    MISSING = "missing"  # the reference has the organ, the result has not
    EXTRA = "extra"  # the result has it, the reference has not
    BOTH_EMPTY = "both empty"


@dataclass(frozen=True)
class Agreement:
    """Figures as the functions of this package define them; distances and lengths in mm.

    Parameters
    ----------
    hd95_mm, mean_surface_mm : the scan's diagonal where one of the two is empty (see ``outcome``): never infinite.
    surface_dice : at ``tolerance_mm``.
    slices : planes of the scan's standard array (axis 0, feet to head) in which either of the two has the organ.
    """

    outcome: Outcome
    dice: float
    jaccard: float
    hd95_mm: float
    mean_surface_mm: float
    surface_dice: float
    tolerance_mm: float
    volume_ratio: float
    path: PathLength
    slices: tuple[SliceAgreement, ...]

    @property
    def counts(self) -> SliceCounts:
        return counted(self.slices)


def compare(mask: Mask | None, reference: Mask) -> Agreement:
    """All figures of a result (None: nothing was found) against a reference on the same grid.

    Raises
    ------
    InputRefused
        ``E_GRID`` if the two lie on different grids.
    """
    pair = in_standard(mask, reference)
    a, b, spacing = pair.mask, pair.reference, pair.geometry.spacing_zyx_mm
    distances = surface_distances(a, b, spacing)
    diagonal = float(np.linalg.norm(reference.geometry.extent_zyx_mm))
    limit = tolerance_mm(reference.organ)
    return Agreement(
        outcome=_outcome(bool(a.any()), bool(b.any())),
        dice=dice(a, b),
        jaccard=jaccard(a, b),
        hd95_mm=min(distances.hd95, diagonal),
        mean_surface_mm=min(distances.mean, diagonal),
        surface_dice=surface_dice(a, b, spacing, limit),
        tolerance_mm=limit,
        volume_ratio=volume_ratio(a, b),
        path=added_path_length(a, b, spacing),
        slices=pair.slices,
    )


@dataclass(frozen=True, eq=False)
class StandardPair:
    """A result and its reference in their common crop of the scan's standard array, one voxel of border around.

    Parameters
    ----------
    mask, reference : bool ``(z, y, x)``, feet to head.
    start_zyx : standard index of the crop's first voxel; -1 where an organ touches the border of the scan.
    geometry : the full standard grid.
    """

    mask: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    start_zyx: tuple[int, int, int]
    geometry: Geometry

    @property
    def slices(self) -> tuple[SliceAgreement, ...]:
        """Agreement of every slice in which either has the organ, by its index in the whole standard array."""
        return tuple(replace(s, index=s.index + self.start_zyx[0]) for s in slice_agreements(self.mask, self.reference))


def in_standard(mask: Mask | None, reference: Mask) -> StandardPair:
    """Bring a result (None: nothing was found) and its reference to standard orientation. Nothing is resampled."""
    own, true = (reference if mask is None else mask).trimmed(), reference.trimmed()
    axis_map, geometry = standardise(reference.geometry)
    a, b = together(own, true)
    first = np.minimum(own.start_zyx, true.start_zyx) - 1
    start = axis_map.start_to_standard(tuple(int(i) for i in first), a.shape, reference.geometry.shape_zyx)
    if mask is None:
        a = np.zeros_like(b)
    return StandardPair(axis_map.to_standard(a), axis_map.to_standard(b), start, geometry)


def _outcome(mask: bool, reference: bool) -> Outcome:
    if mask and reference:
        return Outcome.COMPARED
    if reference:
        return Outcome.MISSING
    return Outcome.EXTRA if mask else Outcome.BOTH_EMPTY

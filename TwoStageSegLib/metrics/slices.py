"""Slice by slice: is the organ there, is it the right object, how well does it fit (papers/000)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

WRONG_OBJECT = 0.25
"""Less of the model's area than this inside the reference: another object was drawn (papers/000: "overlap area less
than 25% of model delineation")."""


class SliceKind(StrEnum):
    MISSING = "missing"  # the reference has the organ here, the mask has not
    WRONG = "wrong object"
    EXTRA = "extra"  # the mask has it, the reference has not (ours; not counted by papers/000)
    DRAWN = "drawn"  # both have it, and it is the same object


@dataclass(frozen=True)
class SliceAgreement:
    """One slice in which at least one of the two has the organ; areas in voxels.

    Parameters
    ----------
    index : of the array's axis 0.
    """

    index: int
    mask_voxels: int
    reference_voxels: int
    shared_voxels: int

    @property
    def dice(self) -> float:
        """2 x shared / (mask + reference); 0 where one of them is empty."""
        return 2 * self.shared_voxels / (self.mask_voxels + self.reference_voxels)

    @property
    def inside(self) -> float:
        """Part of the mask's area that lies in the reference; 0 where the mask is empty."""
        return self.shared_voxels / self.mask_voxels if self.mask_voxels else 0.0

    @property
    def kind(self) -> SliceKind:
        if self.mask_voxels == 0:
            return SliceKind.MISSING
        if self.reference_voxels == 0:
            return SliceKind.EXTRA
        return SliceKind.WRONG if self.inside < WRONG_OBJECT else SliceKind.DRAWN


@dataclass(frozen=True)
class SliceCounts:
    """How many slices of each kind, and of how many: papers/000 does not say which of the totals it divides by."""

    missing: int
    wrong: int
    extra: int
    with_reference: int
    with_either: int


def slice_agreements(mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> tuple[SliceAgreement, ...]:
    """Every slice of axis 0 where either of two boolean arrays of one shape has a voxel, in the array's order.

    For a scan's own slices give arrays in standard orientation (``AxisMap.to_standard``).
    """
    own, true, shared = (np.count_nonzero(m, axis=(1, 2)) for m in (mask, reference, mask & reference))
    used = np.flatnonzero(own + true)
    return tuple(SliceAgreement(int(i), int(own[i]), int(true[i]), int(shared[i])) for i in used)


def counted(slices: Iterable[SliceAgreement]) -> SliceCounts:
    """Totals of one organ, or of many."""
    every = list(slices)
    kinds = [s.kind for s in every]
    return SliceCounts(
        missing=kinds.count(SliceKind.MISSING),
        wrong=kinds.count(SliceKind.WRONG),
        extra=kinds.count(SliceKind.EXTRA),
        with_reference=sum(s.reference_voxels > 0 for s in every),
        with_either=len(every),
    )

"""What is wrong against a reference contour, slice by slice, in words for the person who looks at it."""

from __future__ import annotations

import numpy as np

from ..mask import Mask
from ..metrics.agreement import StandardPair, in_standard
from ..metrics.slices import WRONG_OBJECT, SliceAgreement, SliceKind, counted
from .findings import BAD_DICE, Basis, OrganReview, SliceFinding


def compare_with_reference(mask: Mask | None, reference: Mask) -> OrganReview:
    """Review of one organ's result (None: nothing was found) against its reference on the same grid.

    Holds every slice in which either has the organ. A slice is flagged if it is missing, of a wrong object, extra, or
    has a Dice below ``BAD_DICE``; its score is 1 - Dice. The views jump to the middle of the result in that slice, or
    of the reference where the result is missing.

    Raises
    ------
    InputRefused
        ``E_GRID`` if the two lie on different grids.
    """
    pair = in_standard(mask, reference)
    slices = pair.slices
    return OrganReview(
        reference.organ, Basis.REFERENCE, tuple(_finding(reference.organ, s, pair) for s in slices), _notes(slices)
    )


def reasons(agreement: SliceAgreement) -> tuple[str, ...]:
    """What is wrong in a slice, most important first; empty if nothing is."""
    if agreement.kind == SliceKind.MISSING:
        return ("missing: the reference has the organ here, the result has not",)
    if agreement.kind == SliceKind.EXTRA:
        return ("extra: the result has the organ here, the reference has not",)
    low = (f"Dice {agreement.dice:.2f}",) if agreement.dice < BAD_DICE else ()
    if agreement.kind == SliceKind.WRONG:
        part = f"{100 * agreement.inside:.0f} %"
        limit = f"{100 * WRONG_OBJECT:.0f} %"
        return (f"wrong object: {part} of what was drawn lies in the reference (less than {limit})", *low)
    return low


def _finding(organ: str, agreement: SliceAgreement, pair: StandardPair) -> SliceFinding:
    why = reasons(agreement)
    plane = agreement.index - pair.start_zyx[0]
    shown = pair.mask[plane] if agreement.mask_voxels else pair.reference[plane]
    y, x = np.argwhere(shown).mean(0) + pair.start_zyx[1:]
    centre = pair.geometry.index_to_lps((agreement.index, y, x))
    pixel_mm2 = pair.geometry.spacing_zyx_mm[1] * pair.geometry.spacing_zyx_mm[2]
    return SliceFinding(
        organ=organ,
        index=agreement.index,
        centre_lps=(float(centre[0]), float(centre[1]), float(centre[2])),
        area_mm2=agreement.mask_voxels * pixel_mm2,
        score=1 - agreement.dice,
        reasons=why,
        flagged=bool(why),
        dice=agreement.dice,
    )


def _notes(slices: tuple[SliceAgreement, ...]) -> tuple[str, ...]:
    """What concerns the whole organ: nothing drawn, nothing to compare with, or how many slices of which kind."""
    if not slices:
        return ("neither the result nor the reference has this organ",)
    counts = counted(slices)
    if counts.missing == len(slices):
        return ("the result has nothing of this organ",)
    if counts.extra == len(slices):
        return ("the reference has nothing of this organ",)
    kinds = ((counts.missing, "missing"), (counts.wrong, "of a wrong object"), (counts.extra, "extra"))
    words = [f"{n} {what}" for n, what in kinds if n]
    return (f"of {counts.with_either} slices: {', '.join(words)}",) if words else ()

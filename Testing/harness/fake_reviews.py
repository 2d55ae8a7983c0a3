"""Hand-made findings for tests of what shows them: the first and the last slice of every organ are flagged.

``fake_judge`` takes the place of the pipeline's judgement in the fake worker where the environment asks for it.
"""

from __future__ import annotations

import os
import time

import numpy as np

from TwoStageSegLib.mask import Mask
from TwoStageSegLib.pipeline import Pipeline, Review
from TwoStageSegLib.region import Region
from TwoStageSegLib.review.findings import Basis, OrganReview, SliceFinding
from TwoStageSegLib.volume import Volume

ASKED = "TWOSTAGESEG_TEST_REVIEW"
WHOLE = 64  # voxels of the fake system's organs
FIRST, LAST, OTHER = 0.9, 0.6, 0.1
FIRST_WHY, LAST_WHY = ("area jumps by 60 % from the slice below",), ("touches the edge of its box", "small")


def fake_review(mask: Mask, more: float = 0.0) -> OrganReview:
    """Findings of a mask on an axial grid that runs feet to head; ``more`` is added to every score."""
    part = mask.trimmed()
    z0, y0, x0 = part.start_zyx
    _, dy, dx = mask.geometry.spacing_zyx_mm
    slices = []
    for k, plane in enumerate(part.voxels):
        middle = np.argwhere(plane).mean(0) if plane.any() else np.array(plane.shape) / 2
        x, y, z = mask.geometry.index_to_lps((z0 + k, y0 + middle[0], x0 + middle[1]))
        why, score = {0: (FIRST_WHY, FIRST), len(part.voxels) - 1: (LAST_WHY, LAST)}.get(k, ((), OTHER))
        place, area = (float(x), float(y), float(z)), float(plane.sum() * dy * dx)
        slices.append(SliceFinding(mask.organ, z0 + k, place, area, score + more, why, bool(why)))
    return OrganReview(mask.organ, Basis.SUSPICION, tuple(slices), ("a note about the organ",))


def fake_judge(
    pipeline: Pipeline, volume: Volume, mask: Mask, region: Region, review: Review = Review.FULL
) -> OrganReview | None:
    """What the fake worker says of every mask; it breaks at one that was edited, or takes long, if it is told so."""
    edited = int(mask.voxels.sum()) != WHOLE
    if edited and os.environ.get(ASKED) == "break":
        raise RuntimeError("broken on purpose")
    if edited and os.environ.get(ASKED) == "stall":
        time.sleep(30)
    return fake_review(mask)


def long_review(organ: str, count: int, centre_lps: tuple[float, float, float] = (16.0, 10.0, 147.5)) -> OrganReview:
    """``count`` flagged slices, one above the other."""
    x, y, z = centre_lps
    slices = (
        SliceFinding(organ, i, (x, y, z + 0.01 * i), 100.0 + i, 0.5 + 0.4 * (i * 37 % count) / count, FIRST_WHY, True)
        for i in range(count)
    )
    return OrganReview(organ, Basis.SUSPICION, tuple(slices))

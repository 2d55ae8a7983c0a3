"""Which slices show the target: the classifier's answer for a whole scan (papers/001), and a run of them as Region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry import Geometry
from ..manifest import OrganSpec
from ..region import Kind, Region
from ..volume import Volume
from .preprocess import Preprocess
from .runner import Runner, share
from .slice_field import Field, Place, body_slices, each_slice


@dataclass(frozen=True, eq=False)
class Seen:
    """The body's middle in plane (None if there is no body), and how probable the target is in each of its slices."""

    volume: Volume
    middle: Place | None
    positive: dict[int, float]


def classified(volume: Volume, locator: Runner, preprocess: Preprocess, field_mm: float) -> Seen:
    """Run the classifier on every slice that holds the body; its second output says that a slice shows the target."""
    body = body_slices(volume, preprocess)
    if body is None:
        return Seen(volume, None, {})
    slices, middle = body
    field = Field.around(middle, field_mm, locator, volume.standard.geometry)
    logits = np.concatenate(list(each_slice(volume, slices, field, locator, preprocess)))
    return Seen(volume, middle, dict(zip(slices, share(logits, 1).tolist(), strict=True)))


def range_region(
    run: list[int], score: float, organ: OrganSpec, geometry: Geometry, middle: Place, side_mm: float
) -> Region:
    """A run of slices, grown by the organ's margins along z, as a Region; ``middle`` and ``side_mm``: of what the
    networks see in plane."""
    spacing = geometry.spacing_zyx_mm[0]
    low, high = run[0] - 0.5 - organ.margin_mm[4] / spacing, run[-1] + 0.5 + organ.margin_mm[5] / spacing
    centre = geometry.index_to_lps(((low + high) / 2, *middle))
    size = (side_mm, side_mm, (high - low) * spacing)
    return Region.automatic(organ.name, Kind.SLICE_RANGE, score, organ.low_score, centre, size, geometry.direction)

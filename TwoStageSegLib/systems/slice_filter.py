"""``slice-filter`` (Shi, papers/001): a classifier says which slices show the target, SANet draws it in those only.

Locate: ResNet18 gives every slice of the body a probability; the slices from ``slice_threshold`` on make a range.
Segment: SANet on the range's slices. Both see the same square around the body's middle: the paper cuts each slice to
its body and stretches that to 512 x 512, which would tell a network nothing about sizes in mm; here pixels are as the
bundle says. The paper's vote of five folds is left out: a bundle holds one network of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..grid import place
from ..manifest import OrganSpec
from ..mask import Mask
from ..model import Model
from ..region import Region, Source
from ..review.evidence import Evidence
from ..volume import Volume
from .filter_requirements import DEFAULTS, check_filter
from .placing import Index, at_point, mask_from
from .preprocess import Preprocess
from .requirements import LOCATE
from .runner import Runner, share
from .shared import onto, run_self_test
from .slice_field import Field, Place, each_slice
from .slice_positive import Seen, classified, range_region
from .slice_runs import best_run, runs_of

MOVED_MM = (5.0, -3.0)
"""How far (y, x) the field is moved to see whether the answer stays."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What the last mask rests on: SANet's probability of the standard array's voxels from ``start`` on."""

    volume: Volume
    region: Region
    mask: Mask
    slices: range
    start: Index
    values: NDArray[np.float32]


class SliceFilter:
    """A running ``slice-filter`` bundle; its parameters are those of ``filter_requirements.DEFAULTS``.

    It keeps the classifier's answer for the last volume, and what the last mask rests on.
    """

    def __init__(self, model: Model, device: Device):
        self.model, self.manifest = model, model.manifest
        check_filter(self.manifest)
        roles = (LOCATE, self.manifest.organs[0].network)
        self.runners = {role: Runner(model, role, device) for role in roles}
        self.preprocess = Preprocess(self.manifest.input)
        self.settings = {**DEFAULTS, **self.manifest.parameters}
        self._seen: Seen | None = None
        self._found: _Found | None = None

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """The range of slices that show the organ (``Kind.SLICE_RANGE``), as wide as the field for views."""
        return {name: self._located(volume, self.manifest.organ(name)) for name in organs}

    def segment(self, volume: Volume, region: Region) -> Mask:
        """Draw the organ in the region's slices.

        A drawn box bounds slices and pixels; which of its slices the classifier took does not matter. A click stands
        for its slice: the neighbours within the organ's ``crop_mm``, and the positive slices beyond those, count as
        far as what is drawn in them hangs together with what lies at the click.
        """
        organ = self.manifest.organ(region.organ)
        slices = self._slices(volume, region, organ)
        start, values = self._drawn(volume, region, organ, slices)
        gaps, kept, geometry = int(self.settings["close_gaps"]), values, volume.standard.geometry
        if region.size_mm is None:
            reach = float(self.settings["reach_mm"]) / np.asarray(geometry.spacing_zyx_mm)[1:]
            point = geometry.lps_to_index(np.asarray(region.centre_lps))
            kept = at_point(values, start, organ.threshold, point, reach, gaps)
        slack = float(self.settings["box_slack_mm"])
        mask = mask_from(kept, start, organ.threshold, volume, region, slack, gaps)
        self._found = _Found(volume, region, mask, slices, start, values)
        return mask

    def evidence(self, volume: Volume, region: Region, again: bool) -> Evidence:
        """What the organ's mask rests on; ``again``: drawn once more with the field moved by ``MOVED_MM``."""
        found = self._found
        if found is None or found.volume is not volume or found.region != region:
            self.segment(volume, region)
            found = self._found
        assert found is not None
        organ = self.manifest.organ(region.organ)
        second = None
        if again and not found.mask.empty:
            start, values = self._drawn(volume, region, organ, found.slices, MOVED_MM)
            second = onto(values, start, found.start, found.values.shape)
        return Evidence(found.start, found.values, organ.threshold, region.locator_score, second)

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        run_self_test(self.model, self.runners, self.runners)

    def _classified(self, volume: Volume) -> Seen:
        if self._seen is None or self._seen.volume is not volume:
            self._seen = classified(volume, self.runners[LOCATE], self.preprocess, float(self.settings["field_mm"]))
        return self._seen

    def _located(self, volume: Volume, organ: OrganSpec) -> Region:
        seen = self._classified(volume)
        best = best_run(seen.positive, float(self.settings["slice_threshold"]), int(self.settings["close_gaps"]))
        if best is None or seen.middle is None:
            return Region.not_located(organ.name, max(seen.positive.values(), default=0.0))
        run, score = best
        if score < organ.located_score:
            return Region.not_located(organ.name, score)
        return range_region(run, score, organ, volume.standard.geometry, seen.middle, float(self.settings["field_mm"]))

    def _slices(self, volume: Volume, region: Region, organ: OrganSpec) -> range:
        """The slices of the standard array that are drawn for ``region``; at least one."""
        geometry = volume.standard.geometry
        depth = geometry.shape_zyx[0]
        if region.size_mm is not None:
            z = geometry.lps_to_index(region.corners_lps())[:, 0]
            low, high = (float(np.clip(end, -0.5, depth - 0.5)) for end in (z.min(), z.max()))
            first, last = int(np.ceil(low - 1e-6)), int(np.floor(high + 1e-6))
            if last < first:
                first = last = int(np.clip(round((low + high) / 2), 0, depth - 1))
            return range(first, last + 1)
        anchor = int(np.clip(round(float(geometry.lps_to_index(np.asarray(region.centre_lps))[0])), 0, depth - 1))
        around = int(organ.crop_mm[0] / 2 / geometry.spacing_zyx_mm[0])
        first, last = max(0, anchor - around), min(depth - 1, anchor + around)
        gaps = int(self.settings["close_gaps"])
        for run in runs_of(self._classified(volume).positive, float(self.settings["slice_threshold"]), gaps):
            if run[0] <= last + 1 and run[-1] >= first - 1:
                first, last = min(first, run[0]), max(last, run[-1])
        return range(first, last + 1)

    def _drawn(
        self, volume: Volume, region: Region, organ: OrganSpec, slices: range, moved_mm: Place = (0.0, 0.0)
    ) -> tuple[Index, NDArray[np.float32]]:
        """(first index, probabilities) of the slices, and an empty one beyond either end: where the slices end the
        organ is not cut off, the classifier or the user has said so."""
        geometry, runner = volume.standard.geometry, self.runners[organ.network]
        middle, size = self._field(volume, region, organ)
        middle = middle + np.asarray(moved_mm) / geometry.spacing_zyx_mm[1:]
        field = Field.around(middle, size, runner, geometry)
        drawn = each_slice(volume, slices, field, runner, self.preprocess)
        maps = np.concatenate([share(logits, organ.output) for logits in drawn])
        (_, y, x), values = place(maps, field.grid(slices), geometry.shape_zyx)
        below, above = min(1, slices.start), min(1, geometry.shape_zyx[0] - slices.stop)
        return (slices.start - below, y, x), np.pad(values, ((below, above), (0, 0), (0, 0)))

    def _field(self, volume: Volume, region: Region, organ: OrganSpec) -> tuple[NDArray, NDArray]:
        """Middle (index) and size (mm) along y, x of what SANet sees: as the classifier, moved or grown only if what
        the user points at would lie outside."""
        geometry = volume.standard.geometry
        spacing, end = np.asarray(geometry.spacing_zyx_mm)[1:], np.asarray(geometry.shape_zyx)[1:] - 0.5
        middle, size = self._classified(volume).middle, np.full(2, float(self.settings["field_mm"]))
        if region.source == Source.AUTO:
            return np.asarray(middle if middle is not None else (end - 0.5) / 2), size
        if region.size_mm is not None:
            index = geometry.lps_to_index(region.corners_lps())[:, 1:]
            low, high = (np.clip(ends, -0.5, end) for ends in (index.min(0), index.max(0)))
        else:
            there = geometry.lps_to_index(np.asarray(region.centre_lps))[1:]
            half = np.asarray(organ.crop_mm)[1:] / 2 / spacing
            low, high = there - half, there + half
        size = np.maximum(size, (high - low) * spacing)
        half = size / 2 / spacing
        wanted = (low + high) / 2 if middle is None else np.asarray(middle)
        return np.clip(wanted, high - half, low + half), size

"""``slice-centre`` (Li, papers/000): a centre per slice, then a crop around each.

Locate: CenterNet gives a heatmap for every slice; peaks above the organ's ``located_score`` make the run of slices that
hold it. Segment: a 3D U-Net on chunks of slices around the coarse centres; the centroids of its mask are the fine
centres; a 2D U-Net draws each slice around those. A bundle without the 3D network stops at the coarse centres (the
paper's 2D U-Net_coarse); an organ whose network is ``chunk`` keeps the 3D mask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..geometry import Geometry
from ..manifest import OrganSpec
from ..mask import Mask
from ..model import Model
from ..region import Kind, Region, Source
from ..review.evidence import Evidence
from ..volume import Volume
from .placing import largest, mask_from
from .preprocess import Preprocess
from .requirements import LOCATE
from .runner import Runner
from .shared import run_self_test
from .slice_draw import Drawing, draw_chunks, draw_slices
from .slice_field import Place
from .slice_heat import Heat, slice_heat
from .slice_requirements import CHUNK, DEFAULTS, check_slices, slice_roles
from .slice_track import Track, boxed_track, followed_track, found_track, interpolated, refined_track

MOVED_MM = (5.0, -3.0)
"""How far (y, x) the centres are moved to see whether the answer stays."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What one organ's mask rests on."""

    volume: Volume
    region: Region
    track: Track
    drawing: Drawing
    mask: Mask


class SliceCentre:
    """A running ``slice-centre`` bundle; its parameters are those of ``slice_requirements.DEFAULTS``.

    It keeps the last volume's heatmaps: a click or a box asks them again.
    """

    def __init__(self, model: Model, device: Device):
        self.model, self.manifest = model, model.manifest
        check_slices(self.manifest)
        self.runners = {role: Runner(model, role, device) for role in slice_roles(self.manifest)}
        self.preprocess = Preprocess(self.manifest.input)
        self.settings = {**DEFAULTS, **self.manifest.parameters}
        self._heat: tuple[Volume, Heat | None] | None = None
        self._found: dict[str, _Found] = {}

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """The centres of each organ, one per slice (``Kind.CENTRES``), in the box that they span."""
        heat = self._heat_of(volume)
        return {name: self._located(heat, name, volume) for name in organs}

    def segment(self, volume: Volume, region: Region) -> Mask:
        """The organ along its centres. A click anchors its slice and the neighbours follow; a drawn box bounds the
        slices and the mask, with the centres that the locator sees inside."""
        organ = self.manifest.organ(region.organ)
        track = self._track(volume, region, organ)
        chunk = self.runners.get(CHUNK)
        depth = int(self.settings["chunk_slices"])
        if chunk is not None:
            drawing = draw_chunks(volume, track, organ, chunk, self.preprocess, depth)
            inside = largest(drawing.filled > organ.threshold, self._gap(volume))
            fine = refined_track(track, drawing.start, inside)
            track = self._anchored(fine, volume, region) if organ.network != CHUNK else track
        if organ.network != CHUNK:
            drawing = draw_slices(volume, track, organ, self.runners[organ.network], self.preprocess)
        slack, gap = float(self.settings["box_slack_mm"]), self._gap(volume)
        mask = mask_from(drawing.filled, drawing.start, organ.threshold, volume, region, slack, gap)
        mask = replace(mask, touches_edge=mask.touches_edge or (drawing.cut and not mask.empty))
        kept = {o: f for o, f in self._found.items() if f.volume is volume}
        self._found = kept | {region.organ: _Found(volume, region, track, drawing, mask)}
        return mask

    def evidence(self, volume: Volume, region: Region, again: bool) -> Evidence:
        """What the organ's mask rests on; ``again``: drawn once more around centres moved by ``MOVED_MM``."""
        found = self._found.get(region.organ)
        if found is None or found.volume is not volume or found.region != region:
            self.segment(volume, region)
            found = self._found[region.organ]
        organ = self.manifest.organ(region.organ)
        second = self._moved(found, organ) if again and not found.mask.empty else None
        return Evidence(found.drawing.start, found.drawing.filled, organ.threshold, region.locator_score, second)

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        run_self_test(self.model, self.runners, {role for role in self.runners if role != CHUNK})

    def _heat_of(self, volume: Volume) -> Heat | None:
        if self._heat is None or self._heat[0] is not volume:
            field_mm = float(self.settings["field_mm"])
            self._heat = (volume, slice_heat(volume, self.runners[LOCATE], self.preprocess, field_mm))
        return self._heat[1]

    def _located(self, heat: Heat | None, name: str, volume: Volume) -> Region:
        organ = self.manifest.organ(name)
        track = None if heat is None else found_track(heat, name, organ.located_score, self._gap(volume))
        if track is None:
            return Region.not_located(name, 0.0 if heat is None else float(heat.maps[name].max()))
        return _region(track, organ, volume.standard.geometry)

    def _track(self, volume: Volume, region: Region, organ: OrganSpec) -> Track:
        geometry = volume.standard.geometry
        if region.kind == Kind.CENTRES:
            index = geometry.lps_to_index(np.asarray(region.centres_lps))
            return interpolated({round(float(z)): (float(y), float(x)) for z, y, x in index}, region.score)
        if region.size_mm is not None:
            corners = geometry.lps_to_index(region.corners_lps())
            end = np.asarray(geometry.shape_zyx) - 0.5
            low, high = (np.clip(c, -0.5, end) for c in (corners.min(0), corners.max(0)))
            return boxed_track(self._heat_of(volume), organ.name, organ.located_score, low, high)
        return self._followed(volume, region, organ)

    def _followed(self, volume: Volume, region: Region, organ: OrganSpec) -> Track:
        assert region.centre_lps is not None
        geometry, heat = volume.standard.geometry, self._heat_of(volume)
        z, y, x = (float(v) for v in geometry.lps_to_index(region.centre_lps))
        _, spacing_y, spacing_x = geometry.spacing_zyx_mm
        reach = float(self.settings["reach_mm"]) / np.array([spacing_y, spacing_x])

        def peak_near(slice_: int, place: Place) -> Place | None:
            if heat is None:
                return None
            low, high = place - reach, place + reach
            height, there = heat.peak(organ.name, slice_, (low[0], low[1]), (high[0], high[1]))
            return there if height >= organ.located_score else None

        def drawn_near(slice_: int, place: Place) -> Place | None:
            return self._drawn_middle(volume, Track(slice_, np.array([place])), organ, reach)

        anchor = int(np.clip(round(z), 0, geometry.shape_zyx[0] - 1))
        alone = int(organ.crop_mm[0] / 2 / geometry.spacing_zyx_mm[0])
        return followed_track(anchor, (y, x), geometry.shape_zyx[0], peak_near, drawn_near, alone, self._gap(volume))

    def _drawn_middle(self, volume: Volume, track: Track, organ: OrganSpec, reach: NDArray) -> Place | None:
        """The middle of what the segmenter draws in one slice, if that is close to where it was looked for."""
        runner = self.runners[organ.network]
        if organ.network == CHUNK:
            depth = int(self.settings["chunk_slices"])
            drawing = draw_chunks(volume, track, organ, runner, self.preprocess, depth)
        else:
            drawing = draw_slices(volume, track, organ, runner, self.preprocess)
        inside = largest(drawing.filled > organ.threshold)
        if not inside.any():
            return None
        y, x = np.argwhere(inside).mean(0)[1:] + drawing.start[1:]
        near = np.all(np.abs(np.array([y, x]) - track.centres[0]) <= reach)
        return (float(y), float(x)) if near else None

    def _anchored(self, track: Track, volume: Volume, region: Region) -> Track:
        """The fine centres, except in a clicked slice, whose centre the user has said."""
        if region.source != Source.CLICK or region.centre_lps is None:
            return track
        z, y, x = volume.standard.geometry.lps_to_index(region.centre_lps)
        centres = track.centres.copy()
        centres[int(np.clip(round(float(z)) - track.first, 0, len(centres) - 1))] = (y, x)
        return replace(track, centres=centres)

    def _moved(self, found: _Found, organ: OrganSpec) -> NDArray[np.float32]:
        """The probability of the same voxels with every centre moved; NaN where the moved crops do not reach."""
        spacing = np.asarray(found.volume.standard.geometry.spacing_zyx_mm)[1:]
        track = replace(found.track, centres=found.track.centres + np.asarray(MOVED_MM) / spacing)
        runner = self.runners[organ.network]
        if organ.network == CHUNK:
            depth = int(self.settings["chunk_slices"])
            second = draw_chunks(found.volume, track, organ, runner, self.preprocess, depth)
        else:
            second = draw_slices(found.volume, track, organ, runner, self.preprocess)
        return second.on(found.drawing)

    def _gap(self, volume: Volume) -> int:
        return int(float(self.settings["gap_mm"]) / volume.standard.geometry.spacing_zyx_mm[0])


def _region(track: Track, organ: OrganSpec, geometry: Geometry) -> Region:
    """A located track as a Region: the centres, and the box around them with the organ's margins for views."""
    index = np.column_stack((np.asarray(track.slices, float), track.centres))
    spacing = np.asarray(geometry.spacing_zyx_mm)
    low = index.min(0) - 0.5 - np.asarray(organ.margin_mm)[[4, 2, 0]] / spacing
    high = index.max(0) + 0.5 + np.asarray(organ.margin_mm)[[5, 3, 1]] / spacing
    centre, size = geometry.index_to_lps((low + high) / 2), ((high - low) * spacing)[::-1]
    points = geometry.index_to_lps(index)
    return Region.automatic(
        organ.name, Kind.CENTRES, track.score, organ.low_score, centre, size, geometry.direction, points
    )

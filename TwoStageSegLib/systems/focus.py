"""``focus`` (FocusNetv2; Gao, papers/004): S-Net segments the large organs and lends its features to the small ones.

Locate: S-Net on chunks of slices; a large organ's box is that of its own output's largest component, a small organ's
centre the peak of SOL-Net's heatmap, not located below ``located_score``. Segment: large organs from S-Net's output in
the crop, which costs nothing; a small one by its SOS-Net on the crop of S-Net's features, first level, scan and
heatmap. What S-Net saw is kept, so that a moved region runs its small network alone.

The paper lays the small masks over S-Net's. Here every organ has a mask of its own, and a small organ that SOL-Net does
not see is not located: S-Net's opinion of it would look like a result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..grid import Grid, place
from ..manifest import OrganSpec
from ..model import Model
from ..region import Region, Source
from ..volume import Volume
from .coarse import box_region, region_from_map
from .crop_stage import MOVED_MM, CropStage, Found
from .crops import crop_around
from .focus_requirements import DEFAULTS, SEGMENT, check_focus, network_inputs, small_organs
from .focus_scan import Looker, Part, Scan, gaussian
from .placing import Index
from .requirements import LOCATE
from .runner import Runner, probability
from .shared import onto, run_self_test

EVERYTHING = 1e5  # mm; a crop is never larger than what was seen


class Focus(CropStage):
    """A running ``focus`` bundle; its parameters are those of ``focus_requirements.DEFAULTS``.

    It keeps what S-Net and SOL-Net saw of the last volume. Where a person points outside of that, or where the features
    of a long scan would not fit into memory, one chunk around the region is looked at.
    """

    def __init__(self, model: Model, device: Device):
        check_focus(model.manifest)
        small = small_organs(model.manifest)
        super().__init__(model, device, dict.fromkeys(organ.network for organ in small))
        self.inputs = {role: network_inputs(runner.spec) for role, runner in self.segmenters.items()}
        settings = {**DEFAULTS, **self.manifest.parameters}
        self.sigma_mm = float(settings["heat_sigma_mm"])
        self.looker = Looker(
            Runner(model, SEGMENT, device),
            Runner(model, LOCATE, device) if small else None,
            self.preprocess,
            {organ.name: organ.output for organ in self.manifest.organs if organ.network == SEGMENT},
            int(settings["chunk_slices"]),
            int(settings["chunk_stride"]),
            float(settings["field_mm"]),
            any(count > 1 for count in self.inputs.values()),
        )
        self._grid: tuple[Volume, Grid | None] | None = None
        self._scans: dict[str, Scan] = {}

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A box per organ: around S-Net's largest component, or around SOL-Net's peak, with the organ's margins (so
        those of a small organ are half its size and the location error)."""
        scan = self._whole(volume)
        if scan is None:
            return {name: Region.not_located(name) for name in organs}
        return {name: _located(scan, self.manifest.organ(name)) for name in organs}

    def probability(self, volume: Volume, region: Region) -> tuple[Index, NDArray[np.float32]]:
        """The organ's probability at the voxels of the standard array under its crop: ``(first index, values)``."""
        return self._answer(volume, region, again=False)

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        runners, inputs = {SEGMENT: self.looker.snet, **self.segmenters}, dict(self.inputs)
        if self.looker.sol is not None:
            runners[LOCATE], inputs[LOCATE] = self.looker.sol, network_inputs(self.looker.sol.spec)
        run_self_test(self.model, runners, inputs=inputs)

    def _moved(self, found: Found, organ: OrganSpec) -> NDArray[np.float32]:
        """The probability of the same voxels after a move by ``MOVED_MM``: of a small organ's crop, or of all that
        S-Net sees, which runs once for all large organs. NaN where the moved crop does not reach."""
        start, values = self._answer(found.volume, found.region, again=True)
        return onto(values, start, found.start, found.values.shape)

    def _answer(self, volume: Volume, region: Region, again: bool) -> tuple[Index, NDArray[np.float32]]:
        organ, geometry = self.manifest.organ(region.organ), volume.standard.geometry
        centre, size = self._crop(region, organ, volume)
        scan = self._scan_at(volume, centre, organ)
        if organ.network == SEGMENT:
            scan = self._again(scan) if again else scan
            part = scan.part(centre, size)
            values = scan.shares[organ.name][part]
        else:
            part = scan.part(centre + MOVED_MM if again else centre, size)
            pooled = self._pooled(scan, part, region, centre, self.inputs[organ.network])
            values = probability(self.segmenters[organ.network](pooled))[0, organ.output]
        return place(values, scan.grid_of(part), geometry.shape_zyx)

    def _crop(self, region: Region, organ: OrganSpec, volume: Volume) -> tuple[NDArray, NDArray]:
        """``crop_around``; of a large organ no more than its box: S-Net needs no more around it to see it."""
        geometry = volume.standard.geometry
        if organ.network != SEGMENT or region.size_mm is None:
            return crop_around(region, organ, geometry)
        centre, size = crop_around(region, replace(organ, crop_mm=[0.0] * 3), geometry)
        return centre, size + 2 * self.box_slack_mm

    def _pooled(self, scan: Scan, part: Part, region: Region, centre: NDArray, inputs: int) -> NDArray[np.float32]:
        """What an SOS-Net gets of the crop: ``(1, inputs, d, h, w)``.

        Where a person has said where the organ is, the heatmap is the one that SOL-Net should have drawn there: its own
        would contradict.
        """
        image = scan.image[part][None]
        if inputs == 1:
            return np.ascontiguousarray(image)[None]
        assert scan.features is not None
        if region.source == Source.AUTO:
            heat = scan.heat[region.organ][part]
        else:
            start = [p.start for p in part]
            sigma = self.sigma_mm / np.asarray(self.looker.snet.spec.spacing_mm)
            heat = gaussian(image.shape[1:], scan.index(centre) - start, sigma)
        return np.concatenate((scan.features[(slice(None), *part)].astype(np.float32), image, heat[None]))[None]

    def _whole(self, volume: Volume) -> Scan | None:
        if self._grid is None or self._grid[0] is not volume:
            self._grid = (volume, self.looker.whole(volume))
        grid = self._grid[1]
        return None if grid is None else self._look("whole", volume, grid)

    def _scan_at(self, volume: Volume, centre: NDArray, organ: OrganSpec) -> Scan:
        """What was seen of the volume; one chunk of that where features are needed that were not kept, or one chunk
        around ``centre`` where nothing was seen."""
        whole = self._whole(volume)
        if whole is None or not whole.holds(centre):
            return self._look("around", volume, self.looker.around(volume, centre))
        if whole.features is not None or self.inputs.get(organ.network, 1) == 1:
            return whole
        depth_mm = self.looker.chunk * self.looker.snet.spec.spacing_mm[0]
        return self._look("around", volume, whole.grid_of(whole.part(centre, (depth_mm, EVERYTHING, EVERYTHING))))

    def _again(self, scan: Scan) -> Scan:
        """S-Net's second look, at a moved grid."""
        geometry, middle = scan.volume.standard.geometry, (np.asarray(scan.grid.shape) - 1) / 2
        centre = scan.grid.to_lps(geometry, middle) + MOVED_MM
        moved = Grid.centred(geometry, centre, self.looker.snet.spec.spacing_mm, scan.grid.shape)
        return self._look("again", scan.volume, moved, small=False)

    def _look(self, name: str, volume: Volume, grid: Grid, small: bool = True) -> Scan:
        """Look, or remember the last look of that name; those at another volume are let go before."""
        kept = self._scans.get(name)
        if kept is None or kept.volume is not volume or kept.grid != grid:
            self._scans = {n: scan for n, scan in self._scans.items() if scan.volume is volume and n != name}
            del kept
            self._scans[name] = kept = self.looker.look(volume, grid, small)
        return kept


def _located(scan: Scan, organ: OrganSpec) -> Region:
    geometry = scan.volume.standard.geometry
    if organ.name in scan.shares:
        return region_from_map(scan.shares[organ.name], scan.grid, organ, geometry)
    heat = scan.heat[organ.name]
    peak = np.unravel_index(int(heat.argmax()), heat.shape)
    score = float(heat[peak])
    if score < organ.located_score:
        return Region.not_located(organ.name, score)
    return box_region(tuple(slice(int(i), int(i) + 1) for i in peak), score, scan.grid, organ, geometry)

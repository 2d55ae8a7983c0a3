"""``localise-crop`` (Smith, papers/002): a low-resolution 3D U-Net finds the organs, a 3D U-Net segments each crop.

Locate: the whole scan on a coarse grid, cropped to the body; largest component per organ; its box, padded by the
margin that the measured location error asks for. Segment: a crop around the region's centre, at least as large as
those the network was trained on; its probability is placed into the input's own grid and cut at the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..errors import ModelRefused
from ..grid import Grid, place
from ..manifest import OrganSpec
from ..mask import Mask
from ..model import Model
from ..region import Region, Source
from ..volume import Volume
from .coarse import coarse_body, region_from_map
from .crops import crop_around, multiples_of
from .placing import mask_from
from .preprocess import Preprocess
from .requirements import LOCATE, RECENTRE_MM, SLACK_MM, check_bundle, roles, self_test_pairs
from .runner import Runner, probability


class LocaliseCrop:
    """A running ``localise-crop`` bundle.

    Parameters of the bundle: ``average_mirror``, ``box_slack_mm``, ``recentre_mm`` (0: never).
    """

    def __init__(self, model: Model, device: Device):
        self.model, self.manifest = model, model.manifest
        check_bundle(self.manifest)
        self.locator = Runner(model, LOCATE, device)
        self.segmenters = {role: Runner(model, role, device) for role in roles(self.manifest) if role != LOCATE}
        self.preprocess = Preprocess(self.manifest.input)
        self.average_mirror = bool(self.manifest.parameters.get("average_mirror", False))
        self.box_slack_mm = float(self.manifest.parameters.get("box_slack_mm", SLACK_MM))
        self.recentre_mm = float(self.manifest.parameters.get("recentre_mm", RECENTRE_MM))

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A padded box per organ, from one pass of the coarse network over the body."""
        found = coarse_body(volume, self.locator.spec.spacing_mm, self.preprocess)
        if found is None:
            return {name: Region.not_located(name) for name in organs}
        grid, body = found
        z, y, x = body.shape
        image = self.preprocess.normalised(self.preprocess.padded(body, self.locator.network.multiple))
        maps = dict(zip(self.locator.spec.outputs, self.locator(image[None, None])[0, :, :z, :y, :x], strict=True))
        geometry = volume.standard.geometry
        return {n: region_from_map(probability(maps[n]), grid, self.manifest.organ(n), geometry) for n in organs}

    def segment(self, volume: Volume, region: Region) -> Mask:
        """Segment the organ of ``region`` in the crop around it.

        If a clicked centre turns out to lie off the organ's by more than ``recentre_mm``, once more around where it
        is, as papers/000 refines centres from the first mask. Boxes stay: the locator's centre is better than that
        of a first mask (measured on validation: esophagus 0.63 against 0.57), a drawn one is the user's.
        """
        organ = self.manifest.organ(region.organ)
        mask = self._once(volume, region, organ)
        if region.source != Source.CLICK or mask.empty or self.recentre_mm <= 0:
            return mask
        middle = volume.geometry.index_to_lps(np.add(mask.start_zyx, np.subtract(mask.voxels.shape, 1) / 2))
        if np.linalg.norm(middle - np.asarray(region.centre_lps)) <= self.recentre_mm:
            return mask
        x, y, z = (float(v) for v in middle)
        again = self._once(volume, replace(region, centre_lps=(x, y, z)), organ)
        return mask if again.empty else again

    def probability(self, volume: Volume, region: Region) -> tuple[tuple[int, int, int], NDArray[np.float32]]:
        """The organ's probability at the voxels of the standard array under its crop: ``(first index, values)``.

        An organ on the midline is the mean of the crop and its mirror image, if the bundle says so.
        """
        organ = self.manifest.organ(region.organ)
        grid = self._crop_grid(volume, region, organ)
        image = self.preprocess.image(volume, grid)
        both = self.average_mirror and not _paired(organ.name)
        flips = [organ.mirror, not organ.mirror] if both else [organ.mirror]
        batch = np.stack([_mirrored(image, flip) for flip in flips])[:, None]
        maps = probability(self.segmenters[organ.network](batch)[:, organ.output])
        map_ = np.stack([_mirrored(m, flip) for m, flip in zip(maps, flips, strict=True)]).mean(0, dtype=np.float32)
        return place(map_, grid, volume.standard.geometry.shape_zyx)

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        runners = {LOCATE: self.locator, **self.segmenters}
        pairs = self_test_pairs(self.model, {role: runner.network.multiple for role, runner in runners.items()})
        for role, (given, expected) in pairs.items():
            got = runners[role](given, exact=True)
            if got.shape != expected.shape or not np.allclose(got, expected, atol=self.manifest.self_test.atol):
                raise ModelRefused(f"The self-test of the network {role!r} failed: this bundle does not work here.")

    def _once(self, volume: Volume, region: Region, organ: OrganSpec) -> Mask:
        start, values = self.probability(volume, region)
        return mask_from(values, start, organ.threshold, volume, region, self.box_slack_mm)

    def _crop_grid(self, volume: Volume, region: Region, organ: OrganSpec) -> Grid:
        geometry = volume.standard.geometry
        segmenter = self.segmenters[organ.network]
        spacing, multiple = np.asarray(segmenter.spec.spacing_mm), segmenter.network.multiple
        centre, size = crop_around(region, organ, geometry)
        shape = multiples_of(size / spacing, multiple)
        # never larger than the scan itself, rounded up to what the network needs
        limit = np.maximum(
            multiples_of(geometry.extent_zyx_mm / spacing, multiple),
            multiples_of(np.asarray(organ.crop_mm) / spacing, multiple),
        )
        return Grid.centred(geometry, centre, spacing, np.minimum(shape, limit))


def _mirrored(image: NDArray[np.float32], mirror: bool) -> NDArray[np.float32]:
    """The image, flipped left-right if asked; contiguous, as the network wants it."""
    return np.ascontiguousarray(image[:, :, ::-1]) if mirror else image


def _paired(name: str) -> bool:
    """TG-263 names of paired organs end in _L or _R; averaging over the mirror image would mix the sides."""
    return name.endswith(("_L", "_R"))

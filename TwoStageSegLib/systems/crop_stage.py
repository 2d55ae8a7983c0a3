"""The second stage of systems that segment each organ in one 3D crop (papers/002 and 003).

A crop around the region's centre, at least as large as those the network was trained on; its probability is placed
into the input's own grid and cut at the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..grid import Grid, place
from ..manifest import Manifest, OrganSpec
from ..mask import Mask
from ..model import Model
from ..region import Region, Source
from ..review.evidence import Evidence
from ..volume import Volume
from .crops import crop_around, multiples_of
from .placing import mask_from
from .preprocess import Preprocess
from .requirements import RECENTRE_MM, SLACK_MM
from .runner import Runner, probability
from .shared import onto

MOVED_MM = (3.0, 5.0, -3.0)
"""How far the crop is moved (LPS) to see whether the answer stays: within what a click may be off by."""

TIGHT_MM = 6.0
"""What the moved crop leaves around the mask: a smaller one is cheaper, and a harder test."""


@dataclass(frozen=True, eq=False)
class Found:
    """What one crop gave: the probability of the standard array's voxels from ``start`` on, and the mask."""

    volume: Volume
    region: Region
    mask: Mask
    start: tuple[int, int, int]
    values: NDArray[np.float32]


class CropStage:
    """``segment`` and ``evidence`` of a running bundle; a system adds how it locates.

    Parameters of the bundle: ``average_mirror`` (true, or the organs), ``box_slack_mm``, ``recentre_mm`` (0: never).
    """

    def __init__(self, model: Model, device: Device, roles: Iterable[str]):
        """``roles``: the networks that segment."""
        self.model, self.manifest = model, model.manifest
        self.segmenters = {role: Runner(model, role, device) for role in roles}
        self.preprocess = Preprocess(self.manifest.input)
        self.averaged = averaged(self.manifest)
        self.box_slack_mm = float(self.manifest.parameters.get("box_slack_mm", SLACK_MM))
        self.recentre_mm = float(self.manifest.parameters.get("recentre_mm", RECENTRE_MM))
        self._found: dict[str, Found] = {}

    def segment(self, volume: Volume, region: Region) -> Mask:
        """Segment the organ of ``region`` in the crop around it.

        If a clicked centre turns out to lie off the organ's by more than ``recentre_mm``, once more around where it
        is, as papers/000 refines centres from the first mask. Boxes stay: the locator's centre is better than that
        of a first mask (measured on validation: esophagus 0.63 against 0.57), a drawn one is the user's.
        """
        organ = self.manifest.organ(region.organ)
        found = self._once(volume, region, organ)
        if not found.mask.empty and (middle := self._better_centre(found)) is not None:
            again = self._once(volume, Region.click(region.organ, middle), organ)
            found = found if again.mask.empty else again
        self._keep(replace(found, region=region))
        return found.mask

    def evidence(self, volume: Volume, region: Region, again: bool) -> Evidence:
        """What the organ's mask rests on; computed now unless it was what was segmented last.

        Parameters
        ----------
        again : segment once more in a tight crop that is moved by ``MOVED_MM``.
        """
        found = self._found.get(region.organ)
        if found is None or found.volume is not volume or found.region != region:
            self.segment(volume, region)
            found = self._found[region.organ]
        organ = self.manifest.organ(region.organ)
        second = self._moved(found, organ) if again and not found.mask.empty else None
        return Evidence(found.start, found.values, organ.threshold, region.locator_score, second)

    def probability(self, volume: Volume, region: Region) -> tuple[tuple[int, int, int], NDArray[np.float32]]:
        """The organ's probability at the voxels of the standard array under its crop: ``(first index, values)``.

        An organ on the midline is the mean of the crop and its mirror image, if the bundle says so.
        """
        organ = self.manifest.organ(region.organ)
        return self._on_grid(volume, self._crop_grid(volume, region, organ), organ)

    def _on_grid(
        self, volume: Volume, grid: Grid, organ: OrganSpec, one_view: bool = False
    ) -> tuple[tuple[int, int, int], NDArray[np.float32]]:
        image = self.preprocess.image(volume, grid)
        both = organ.name in self.averaged and not one_view
        flips = [organ.mirror, not organ.mirror] if both else [organ.mirror]
        batch = np.stack([_mirrored(image, flip) for flip in flips])[:, None]
        maps = probability(self.segmenters[organ.network](batch)[:, organ.output])
        map_ = np.stack([_mirrored(m, flip) for m, flip in zip(maps, flips, strict=True)]).mean(0, dtype=np.float32)
        return place(map_, grid, volume.standard.geometry.shape_zyx)

    def _once(self, volume: Volume, region: Region, organ: OrganSpec) -> Found:
        start, values = self.probability(volume, region)
        mask = mask_from(values, start, organ.threshold, volume, region, self.box_slack_mm)
        return Found(volume, region, mask, start, values)

    def _keep(self, found: Found) -> None:
        """Remember what the masks of the current volume rest on; those of another volume are let go."""
        self._found = {o: f for o, f in self._found.items() if f.volume is found.volume} | {found.region.organ: found}

    def _better_centre(self, found: Found) -> NDArray[np.float64] | None:
        """Where to segment once more, LPS mm: the mask's middle, if a click lies far from it."""
        region, mask = found.region, found.mask
        if region.source != Source.CLICK or self.recentre_mm <= 0:
            return None
        middle = mask.geometry.index_to_lps(np.add(mask.start_zyx, np.subtract(mask.voxels.shape, 1) / 2))
        return middle if np.linalg.norm(middle - np.asarray(region.centre_lps)) > self.recentre_mm else None

    def _moved(self, found: Found, organ: OrganSpec) -> NDArray[np.float32]:
        """The probability of the same voxels from a tight, moved crop; NaN where that does not reach."""
        geometry, mask = found.volume.standard.geometry, found.mask
        segmenter = self.segmenters[organ.network]
        spacing, multiple = np.asarray(segmenter.spec.spacing_mm), segmenter.network.multiple
        start, voxels = mask.on_standard(found.volume)
        centre = geometry.index_to_lps(np.asarray(start) + np.subtract(voxels.shape, 1) / 2) + MOVED_MM
        size = np.asarray(voxels.shape) * geometry.spacing_zyx_mm + 2 * TIGHT_MM
        usual = multiples_of(np.asarray(organ.crop_mm) / spacing, multiple)
        shape = np.minimum(multiples_of(size / spacing, multiple), np.maximum(usual, multiple))
        first, values = self._on_grid(found.volume, Grid.centred(geometry, centre, spacing, shape), organ, True)
        return onto(values, first, found.start, found.values.shape)

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


def averaged(manifest: Manifest) -> frozenset[str]:
    """The organs whose answer is the mean of the crop and its mirror image. Never those of a pair."""
    said = manifest.parameters.get("average_mirror", False)
    names = said if isinstance(said, list) else manifest.organ_names if said else ()
    return frozenset(name for name in names if not _paired(name))


def _mirrored(image: NDArray[np.float32], mirror: bool) -> NDArray[np.float32]:
    """The image, flipped left-right if asked; contiguous, as the network wants it."""
    return np.ascontiguousarray(image[:, :, ::-1]) if mirror else image


def _paired(name: str) -> bool:
    """TG-263 names of paired organs end in _L or _R; averaging over the mirror image would mix the sides."""
    return name.endswith(("_L", "_R"))

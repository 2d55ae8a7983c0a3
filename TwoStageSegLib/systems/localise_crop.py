"""``localise-crop`` (Smith, papers/002): a low-resolution 3D U-Net finds the organs, a 3D U-Net segments each crop.

Locate: the whole scan on a coarse grid, cropped to the body; largest component per organ; its box, padded by the
margin that the measured location error asks for. Segment: ``crop_stage``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..device import Device
from ..geometry import Geometry
from ..grid import Grid
from ..manifest import OrganSpec
from ..model import Model
from ..region import Region
from ..volume import Volume
from .coarse import coarse_body, region_from_map
from .crop_stage import MOVED_MM, CropStage
from .requirements import LOCATE, check_bundle, roles
from .runner import Runner, probability
from .shared import run_self_test
from .used import Box, used_boxes

__all__ = ["MOVED_MM", "LocaliseCrop"]


class LocaliseCrop(CropStage):
    """A running ``localise-crop`` bundle."""

    def __init__(self, model: Model, device: Device):
        check_bundle(model.manifest)
        self.locator = Runner(model, LOCATE, device)
        super().__init__(model, device, (role for role in roles(model.manifest) if role != LOCATE))

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A padded box per organ, from one pass of the coarse network over the body."""
        found = coarse_body(volume, self.locator.spec.spacing_mm, self.preprocess)
        if found is None:
            return {name: Region.not_located(name) for name in organs}
        grid, body = found
        z, y, x = body.shape
        image = self.preprocess.normalised(self.preprocess.padded(body, self.locator.network.multiple))
        logits = self.locator(image[None, None])[0, :, :z, :y, :x]
        # a region is made of nothing but what lies above one half
        maps = dict(zip(self.locator.spec.outputs, zip(logits, used_boxes(logits > 0), strict=True), strict=True))
        geometry = volume.standard.geometry
        return {n: _region(*maps[n], grid, self.manifest.organ(n), geometry) for n in organs}

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        run_self_test(self.model, {LOCATE: self.locator, **self.segmenters})


def _region(logits: NDArray[np.float32], box: Box | None, grid: Grid, organ: OrganSpec, geometry: Geometry) -> Region:
    """``region_from_map`` of the part of the logits that holds everything above one half."""
    if box is None:  # what matters then is how close to one half it came
        return Region.not_located(organ.name, float(probability(logits.max())))
    return region_from_map(probability(logits[box]), grid.cut(box), organ, geometry)

"""``multi-view`` (Pu, papers/003): three 2D SE-U-Nets find the organs together, a 3D SE-U-Net segments each crop.

Locate: the body on a coarse grid, cut into axial, coronal and sagittal slices; the three answers, weighted per organ
(``view_weights``, learned by ``networks.seunet.ViewFusion``), make one probability per organ, and that a box. Segment:
``crop_stage``, one network per organ, left and right by mirroring. The paper works at 1 mm on 280 x 280 x 280 voxels;
here the bundle says at which spacing, and the grid is as large as the body.

The paper fuses fine and coarse masks in a way that it does not print. Here the fine one stands alone in its crop, and
an organ that has no fine mask has none: a coarse one would look like a result.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..device import Device
from ..model import Model
from ..region import Region
from ..volume import Volume
from .coarse import coarse_body
from .crop_stage import CropStage
from .runner import Runner
from .shared import run_self_test
from .view_requirements import check_views, view_roles, view_weights
from .views import VIEWS, fused, region_from_votes


class MultiView(CropStage):
    """A running ``multi-view`` bundle."""

    def __init__(self, model: Model, device: Device):
        check_views(model.manifest)
        self.views = {role: Runner(model, role, device) for role in VIEWS}
        self.weights = view_weights(model.manifest)
        super().__init__(model, device, view_roles(model.manifest))

    def locate(self, volume: Volume, organs: Iterable[str]) -> dict[str, Region]:
        """A padded box per organ, from one pass of the three networks over the body."""
        axial = self.views["axial"]
        found = coarse_body(volume, axial.spec.spacing_mm, self.preprocess)
        if found is None:
            return {name: Region.not_located(name) for name in organs}
        grid, body = found
        z, y, x = body.shape
        # every axis is a side of two of the networks' slices
        image = self.preprocess.normalised(self.preprocess.padded(body, axial.network.multiple))
        maps = dict(zip(axial.spec.outputs, fused(image, self.views, self.weights)[:, :z, :y, :x], strict=True))
        geometry = volume.standard.geometry
        return {n: region_from_votes(maps[n], grid, self.manifest.organ(n), geometry) for n in organs}

    def self_test(self) -> None:
        """Run the bundle's tiny inputs in full precision and compare."""
        run_self_test(self.model, {**self.views, **self.segmenters}, self.views)

"""The fine stage: a 3D SE-U-Net per organ on its jittered crop, generalised Dice (papers/003, III.B)."""

from __future__ import annotations

from torch import Tensor, nn

from TwoStageSegLib.networks.seunet import SEUNet

from ...data.prepared import Case
from ...losses.multi_view import generalised_dice
from ...tasks.base import Batch
from ...tasks.segment import SegmentTask
from .recipe import AS_PRINTED, MultiViewRecipe


class FineTask(SegmentTask):
    """Trains one fine network. Crops are those of ``localise-crop``'s second stage, which runs them here too; a case
    without the organ's contour is never drawn, so there is nothing unknown in them."""

    def __init__(self, name: str, recipe: MultiViewRecipe, training: list[Case], validation: list[Case]):
        super().__init__(recipe.of(name), training, validation)
        self.name, self.multi_view = name, recipe

    def network(self) -> SEUNet:  # type: ignore[override]
        return fine_network(self.multi_view)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        printed = self.multi_view.fine_dice == AS_PRINTED
        return generalised_dice(network(batch["image"]).float(), batch["labels"], printed)


def fine_network(recipe: MultiViewRecipe) -> SEUNet:
    return SEUNet(3, 1, 1, recipe.fine_widths, recipe.squeeze, recipe.norm)

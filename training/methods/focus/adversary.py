"""The two sides of the shape constraint as ``fit`` steps them (papers/004, equations 4, 5, 7 and 8).

Table 6's rows: "none" leaves it out (FocusNetv1), "plain" has an autoencoder that has only seen true masks and stays as
it is ("origin AE"), "adversarial" steps it against what the segmenters have just predicted.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.shape_autoencoder import ShapeCode

from ...losses.shape import PAPER, PUBLISHED_CODE, SCALE_FREE, Adversary, autoencoder_loss, segmenter_shape_loss
from ...tasks.base import Batch, Turn
from . import SHAPES
from .networks import Several
from .recipe import FocusRecipe

ADVERSARIES: dict[str, Adversary] = {"scale-free": SCALE_FREE, "paper": PAPER, "published code": PUBLISHED_CODE}


def shape_loss(shapes: nn.Module, predicted: Tensor, true: Tensor, recipe: FocusRecipe) -> Tensor:
    """What equation 7 adds to the segmenters' loss; masks ``(k, 1, *roi)``."""
    return segmenter_shape_loss(*_codes(shapes, predicted, true), ADVERSARIES[recipe.adversary])


def autoencoder_turn(network: Several, recipe: FocusRecipe) -> list[Turn]:
    """The autoencoder's turn, after that of the segmenters; none if it is not stepped."""
    if recipe.shapes != "adversarial":
        return []

    def loss(networks: nn.Module, batch: Batch) -> Tensor:
        shapes = networks[SHAPES]  # type: ignore[index]
        if "predicted" not in batch:  # no organ is whole in this batch
            return torch.stack([p.sum() for p in shapes.parameters()]).sum() * 0
        predicted, true = batch["predicted"], batch["true"]
        return autoencoder_loss(*_codes(shapes, predicted, true), predicted, true, ADVERSARIES[recipe.adversary])

    return [Turn(list(network[SHAPES].parameters()), loss)]


def _codes(shapes: nn.Module, predicted: Tensor, true: Tensor) -> tuple[ShapeCode, ShapeCode]:
    """Codes of both in one pass: normalised apart, the two batches would be made alike."""
    both = shapes(torch.cat((predicted, true)))
    count = len(predicted)
    return ShapeCode(*(part[:count] for part in both)), ShapeCode(*(part[count:] for part in both))

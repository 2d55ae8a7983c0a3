"""S-Net, SOL-Net and the SOS-Nets jointly, at a lower rate; the autoencoder still has its turns (papers/004, 4.2).

Gradients of the small organs reach S-Net through the regions that are pooled from its features. Its batch statistics
and SOL-Net's stay: with one chunk per step, the networks would otherwise be tuned on other features than they run on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.systems.focus_requirements import SEGMENT
from TwoStageSegLib.systems.requirements import LOCATE

from ...data.prepared import Case
from ...tasks.base import Batch, Turn, stack
from . import SHAPES, SMALL, TOGETHER
from .adversary import autoencoder_turn
from .chunks import Chunks
from .heat import heat_loss
from .main import MainTask, main_loss, main_scores
from .networks import Several, joint_networks, trained
from .recipe import FocusRecipe
from .rois import Seen
from .small import small_loss, small_sample, small_scores, still_ones


class TogetherTask:
    """Trains all networks. ``per_organ``: validation cases of each small organ."""

    name = TOGETHER

    def __init__(
        self, recipe: FocusRecipe, training: list[Case], validation: list[Case], run: Path, per_organ: int = 8
    ):
        self.recipe, self.per_organ = recipe, per_organ
        self.main = MainTask(recipe, training, validation)
        self.chunks, self.validation = self.main.chunks, Chunks(recipe, validation)
        self.start = trained(recipe, run, last=SMALL)

    def network(self) -> Several:
        networks = joint_networks(self.recipe)
        for name, network in networks.items():
            network.load_state_dict(self.start[name])
        return Several(networks, (SEGMENT, LOCATE, *still_ones(self.recipe)))

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([small_sample(self.chunks, rng) for _ in range(self.recipe.chunks)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        seen = see(network, batch["image"])
        large = main_loss(seen.main, batch, self.main.weights, self.recipe)
        heat = heat_loss(seen.heat, batch, self.recipe)
        return large + heat + small_loss(network, batch, seen, self.recipe)

    def turns(self, network: nn.Module) -> list[Turn]:
        """G, then D against what G has just said."""
        assert isinstance(network, Several)
        own = [p for name, part in network.items() if name != SHAPES for p in part.parameters()]
        return [Turn(own, self.loss), *autoencoder_turn(network, self.recipe)]

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ by the network that segments it in the bundle; ``score`` is their mean."""
        assert isinstance(network, Several)
        scores = main_scores(network[SEGMENT], self.main.validation, device)
        scores |= small_scores(network, lambda i: see(network, i), self.validation, self.per_organ, device)
        return {**scores, "score": float(np.mean(list(scores.values())))}


def see(network: nn.Module, image: Tensor) -> Seen:
    """What S-Net and SOL-Net say, with gradients."""
    assert isinstance(network, Several)
    answer = network[SEGMENT](image)
    return Seen(answer, network[LOCATE](answer.features))

"""The autoencoder alone, on true masks of the small organs (papers/004, section 3.3; the paper does not say how it
begins, its published code loads weights that were)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from TwoStageSegLib.networks.shape_autoencoder import ShapeAutoencoder

from ...augment import random_pose
from ...data.prepared import Case
from ...sampling import Pose, draw, mirrored
from ...tasks.base import Batch, dice, stack
from . import SHAPES
from .networks import autoencoder
from .recipe import FocusRecipe


class ShapesTask:
    """Trains the autoencoder. ``per_organ``: validation masks."""

    name = SHAPES

    def __init__(self, recipe: FocusRecipe, training: list[Case], validation: list[Case], per_organ: int = 10):
        self.recipe, self.per_organ = recipe, per_organ
        self.training = {o: [c for c in training if c.whole(o)] for o in recipe.small}
        self.validation = {o: [c for c in validation if c.whole(o)] for o in recipe.small}

    def network(self) -> ShapeAutoencoder:
        return autoencoder(self.recipe)

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([{"mask": self._sample(rng)} for _ in range(self.recipe.masks)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        return F.mse_loss(network(batch["mask"]).mask.float(), batch["mask"])

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice of masks and what the autoencoder makes of them; ``score`` is the mean over the organs."""
        scores = {}
        for organ, cases in self.validation.items():
            masks = [self._mask(c, organ, np.zeros(3), np.eye(3), np.ones(3), False) for c in cases[: self.per_organ]]
            if masks:
                rebuilt = network(torch.stack(masks).to(device)).mask.float().cpu() > 0.5
                scores[organ] = float(np.mean([dice(a, b > 0.5) for a, b in zip(rebuilt, masks, strict=True)]))
        return {**scores, "score": float(np.mean(list(scores.values())))}

    def _sample(self, rng: np.random.Generator) -> Tensor:
        organs = [o for o in self.recipe.small if self.training[o]]
        organ = organs[rng.integers(len(organs))]
        case = self.training[organ][rng.integers(len(self.training[organ]))]
        rotation, scale, _ = random_pose(rng, self.recipe.poses)
        mirror = self.recipe.mirror and bool(rng.random() < 0.5)
        return self._mask(case, organ, rng.normal(0, self.recipe.jitter_mm, 3), rotation, scale, mirror)

    def _mask(self, case: Case, organ: str, shift_mm, rotation, scale, mirror: bool) -> Tensor:
        """The organ's mask ``(1, *roi)`` in the region around its middle. Mirrored it is one of the other side's."""
        centre = case.centre_index(organ) + shift_mm / case.spacing_zyx_mm
        pose = Pose(centre, self.recipe.spacing, self.recipe.roi, rotation, scale, mirror)
        return (draw(case, pose, (mirrored(organ) if mirror else organ,)).labels > 0.5).float()

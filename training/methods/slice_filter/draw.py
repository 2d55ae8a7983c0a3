"""Second stage: SANet draws the target in one slice; CR loss, balance sampling (papers/001, sections 3.2 to 3.4)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.sanet import SANet

from ...data.prepared import Case
from ...losses.slice_filter import combined_regularisation
from ...tasks.base import Batch, dice
from .batches import SliceTask, channels_last
from .recipe import SliceFilterRecipe

CHUNK = 32


class DrawTask:
    """Trains SANet; scored by the mean over validation cases of the Dice of the slices that show the target."""

    name = "segment"

    def __init__(self, recipe: SliceFilterRecipe, training: list[Case], validation: list[Case]):
        if recipe.segment_batch < 2:
            raise ValueError("SANet's pyramid pooling normalises over the batch: it needs two slices or more")
        self.recipe = recipe
        self.slices = SliceTask(recipe, training, validation, recipe.segment_pixel_mm, self.network().multiple)
        self._seen: list[tuple[Tensor, Tensor]] = []

    def network(self) -> SANet:
        r = self.recipe
        return channels_last(SANet(1, 2, r.segment_widths, r.segment_width, r.dropout))

    def batch(self, rng: np.random.Generator) -> Batch:
        return self.slices.samples(self.recipe.segment_batch, self.recipe.segment_theta, rng)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        loss: Tensor = combined_regularisation(self.recipe.alpha)(network(batch["image"]).float(), batch["organ"])
        return loss

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        scores = []
        for images, organ in self._validation():
            logits = torch.cat([network(part.to(device)).float().cpu() for part in images.split(CHUNK)])
            scores.append(dice(logits[:, 1] > logits[:, 0], organ))
        return {"score": float(np.mean(scores))}

    def _validation(self) -> list[tuple[Tensor, Tensor]]:
        """Per validation case its positive slices as the running system sees them, and the target in those pixels."""
        if not self._seen:
            t = self.slices
            for s in t.validation:
                field = s.field(self.recipe.field_mm, t.pixel_mm, t.multiple)
                images, organ = s.images(field, t.preprocess), s.masks(field)
                self._seen.append((torch.from_numpy(images[s.shows]), torch.from_numpy(organ[s.shows])))
        return self._seen

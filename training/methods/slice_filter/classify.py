"""First stage: does a slice show the target? ResNet18, cross-entropy, balance sampling (papers/001, 3.1 and 3.4)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from TwoStageSegLib.networks.resnet import SliceClassifier

from ...data.prepared import Case
from ...tasks.base import Batch
from .batches import SliceTask, channels_last
from .recipe import SliceFilterRecipe

CHUNK = 64


class ClassifyTask:
    """Trains the classifier of a recipe; scored by the F1 of all validation slices that hold the body, pooled."""

    name = "locate"

    def __init__(self, recipe: SliceFilterRecipe, training: list[Case], validation: list[Case]):
        self.recipe = recipe
        self.slices = SliceTask(recipe, training, validation, recipe.locate_pixel_mm, self.network().multiple)
        self._seen: list[tuple[Tensor, Tensor]] = []

    def network(self) -> SliceClassifier:
        return channels_last(SliceClassifier(1, 2, self.recipe.locate_widths))

    def batch(self, rng: np.random.Generator) -> Batch:
        return self.slices.samples(self.recipe.locate_batch, self.recipe.locate_theta, rng)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(network(batch["image"]).float(), batch["shows"])

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """F1 (``score``), recall and precision of slices, those from one half on counting as positive."""
        hit = said = there = 0
        for images, shows in self._validation():
            found = [network(part.to(device)).float().cpu().softmax(1)[:, 1] >= 0.5 for part in images.split(CHUNK)]
            positive = torch.cat(found)
            hit, said, there = hit + int((positive & shows).sum()), said + int(positive.sum()), there + int(shows.sum())
        return {"recall": hit / there, "precision": hit / max(said, 1), "score": 2 * hit / (said + there)}

    def _validation(self) -> list[tuple[Tensor, Tensor]]:
        """Per validation case every slice as the running system sees it, and whether it shows the target."""
        if not self._seen:
            t = self.slices
            for s in t.validation:
                images = s.images(s.field(self.recipe.field_mm, t.pixel_mm, t.multiple), t.preprocess)
                self._seen.append((torch.from_numpy(images), torch.from_numpy(s.shows)))
        return self._seen

"""Second stage: one organ in a crop around its (jittered) place. Shared trunk, a channel per organ."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.unet import UNet

from ..augment import random_pose
from ..data.prepared import Case
from ..losses import cross_entropy, dice_loss, known_weight
from ..recipes.recipe import Recipe, Target
from ..sampling import Pose, draw, mirrored
from .base import Batch, dice, finish, normalise, stack


class SegmentTask:
    """Trains the segmenter of a recipe."""

    name = "segment"

    def __init__(self, recipe: Recipe, training: list[Case], validation: list[Case], per_organ: int = 10):
        self.recipe = recipe
        self.training = {t.organ: [c for c in training if t.organ in c.known] for t in recipe.targets}
        self.validation = {t.organ: [c for c in validation if c.whole(t.organ)][:per_organ] for t in recipe.targets}
        self.shares = np.array([t.share if self.training[t.organ] else 0.0 for t in recipe.targets])
        self.shares /= self.shares.sum()

    def network(self) -> UNet:
        return UNet(**self.recipe.unet(len(self.recipe.channels), self.recipe.segment_widths))

    def batch(self, rng: np.random.Generator) -> Batch:
        target = self.recipe.targets[rng.choice(len(self.shares), p=self.shares)]
        cases = self.training[target.organ]
        # a large crop counts double, so that every step costs about the same
        count = max(1, self.recipe.segment_batch // (2 if np.prod(target.shape) > 100_000 else 1))
        return stack([self._sample(cases[rng.integers(len(cases))], target, rng) for _ in range(count)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch["image"]).float()
        main = int(batch["main"][0])
        own = logits[:, main : main + 1]
        weight = torch.ones_like(own[:, :, 0, 0, 0])
        overlap = dice_loss(own, batch["labels"][:, main : main + 1], weight)
        return overlap + cross_entropy(
            logits, batch["labels"], known_weight(batch["known"].cpu(), main).to(logits.device)
        )

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ in crops around the true centre, on the crop's grid; ``score`` is their mean."""
        scores = {}
        for target in self.recipe.targets:
            found = []
            for case in self.validation[target.organ]:
                pose = self._pose(case, target, case.centre_index(target.organ), np.eye(3), np.ones(3), sided(target))
                crop = draw(case, pose, self.recipe.channels)
                image = normalise(crop.ct, self.recipe)[None, None].to(device)
                channel = self.recipe.channels.index(target.channel)
                predicted = network(image)[0, channel].float().cpu() > 0
                found.append(dice(predicted, crop.labels[channel] > 0.5))
            if found:
                scores[target.organ] = float(np.mean(found))
        scores["score"] = float(np.mean(list(scores.values())))
        return scores

    def _sample(self, case: Case, target: Target, rng: np.random.Generator) -> Batch:
        rotation, scale, shift = random_pose(rng, self.recipe.poses)
        centre = case.centre_index(target.organ) + shift / case.spacing_zyx_mm
        if target.along_z:
            lo, hi = case.known[target.organ].box[0]
            centre[0] = rng.uniform(lo - 4, hi + 4)
        paired = mirrored(target.organ) != target.organ
        mirror = sided(target) if paired else bool(rng.random() < 0.5) and self.recipe.mirror
        pose = self._pose(case, target, centre, rotation, scale, mirror)
        crop = draw(case, pose, self.recipe.channels)
        return {
            "image": finish(crop, case, pose, self.recipe, rng),
            "labels": crop.labels,
            "known": crop.known,
            "main": torch.tensor(self.recipe.channels.index(target.channel)),
        }

    def _pose(self, case: Case, target: Target, centre, rotation, scale, mirror: bool) -> Pose:
        return Pose(np.asarray(centre, float), self.recipe.segment_spacing, target.shape, rotation, scale, mirror)


def sided(target: Target) -> bool:
    """True if this organ's crop is mirrored so that it looks like its channel's side."""
    return target.organ != target.channel

"""The single-stage baseline of papers/002: random full-resolution patches, sliding window at the end.

Same network width, spacing, augmentation and budget as the two stages. P(patch holds foreground) = 0.8, by choosing a
patch that contains a voxel of a known organ (002 draws by rejection, which has the same distribution of the organ).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.unet import UNet

from ..augment import random_pose
from ..data.prepared import Case
from ..losses import cross_entropy, dice_loss
from ..recipes.recipe import Recipe
from ..sampling import Pose, draw
from .base import Batch, dice, finish, normalise, stack


class BaselineTask:
    """Trains one network for all organs on patches of the whole scan."""

    name = "baseline"

    def __init__(self, recipe: Recipe, training: list[Case], validation: list[Case], limit: int = 6):
        self.recipe, self.training, self.validation = recipe, training, validation[:limit]

    def network(self) -> UNet:
        return UNet(**self.recipe.unet(len(self.recipe.organs), self.recipe.segment_widths))

    def batch(self, rng: np.random.Generator) -> Batch:
        # two patches of 48^3 hold as many voxels as a batch of the segmenter, so that steps compare
        return stack([self._sample(self.training[rng.integers(len(self.training))], rng) for _ in range(2)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch["image"]).float()
        known = batch["known"].float()
        present = known * (batch["labels"].amax((2, 3, 4)) > 0.5)
        return dice_loss(logits, batch["labels"], present) + cross_entropy(logits, batch["labels"], known)

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ in patches around each organ's centre (quick; evaluate slides over whole scans)."""
        found: dict[str, list[float]] = {o: [] for o in self.recipe.organs}
        for case in self.validation:
            for i, organ in enumerate(self.recipe.organs):
                if not case.whole(organ):
                    continue
                pose = Pose(
                    case.centre_index(organ),
                    self.recipe.segment_spacing,
                    self.recipe.baseline_shape,
                    np.eye(3),
                    np.ones(3),
                )
                crop = draw(case, pose, self.recipe.organs)
                logits = network(normalise(crop.ct, self.recipe)[None, None].to(device))[0].float().cpu()
                found[organ].append(dice(logits[i] > 0, crop.labels[i] > 0.5))
        scores = {o: float(np.mean(v)) for o, v in found.items() if v}
        scores["score"] = float(np.mean(list(scores.values())))
        return scores

    def _sample(self, case: Case, rng: np.random.Generator) -> Batch:
        rotation, scale, _ = random_pose(rng, self.recipe.poses)
        spacing = np.asarray(self.recipe.segment_spacing)
        size = np.asarray(case.ct.shape, float)
        if case.known and rng.random() < self.recipe.baseline_foreground:
            organ = list(case.known)[rng.integers(len(case.known))]
            voxels = np.argwhere(case.labels == case.value(organ))
            half = np.asarray(self.recipe.baseline_shape) / 2 * spacing / case.spacing_zyx_mm
            centre = voxels[rng.integers(len(voxels))] + rng.uniform(-1, 1, 3) * half
        else:
            centre = rng.uniform(0, 1, 3) * size
        mirror = bool(rng.random() < 0.5) and self.recipe.mirror
        pose = Pose(centre, self.recipe.segment_spacing, self.recipe.baseline_shape, rotation, scale, mirror)
        crop = draw(case, pose, self.recipe.organs)
        return {"image": finish(crop, case, pose, self.recipe, rng), "labels": crop.labels, "known": crop.known}

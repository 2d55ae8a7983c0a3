"""First stage: all organs at once on a coarse grid (papers/002, low-resolution 3D U-Net)."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from TwoStageSegLib.networks.unet import UNet

from ..augment import random_pose
from ..data.prepared import Case
from ..losses import cross_entropy, dice_loss, positive_cross_entropy
from ..recipes.recipe import Recipe
from ..sampling import Pose, draw
from .base import Batch, dice, finish, normalise, stack

RARE_LOGIT = -4.0  # initial logit: about the share of a crop that an organ fills


class LocateTask:
    """Trains the locator of a recipe on windows of the coarse grid, as large as a neck with shoulders."""

    name = "locate"

    def __init__(self, recipe: Recipe, training: list[Case], validation: list[Case], limit: int = 18):
        self.recipe = recipe
        self.negatives = [c for c in training if c.absent]
        self.training = [c for c in training if not c.absent]
        self.validation = [c for c in validation if not c.absent][:limit]
        self.smooth = {c.name: smoothed(c, recipe.locate_spacing) for c in (*training, *self.validation)}

    def network(self) -> UNet:
        network = UNet(**self.recipe.locator())
        nn.init.constant_(cast(Tensor, network.head.bias), RARE_LOGIT)
        return network

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([self._sample(self._case(rng), rng) for _ in range(self.recipe.locate_batch)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch["image"]).float()
        known = batch["known"].float()
        present = known * (batch["labels"].amax((2, 3, 4)) > 0.5)
        # an organ is one voxel in a thousand: without a share of its own it is forgotten before Dice can see it
        found = positive_cross_entropy(logits, batch["labels"], present)
        return (
            dice_loss(logits, batch["labels"], present)
            + 5 * cross_entropy(logits, batch["labels"], known)
            + 0.3 * found
        )

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ on the coarse grid over the whole scan; ``score`` is their mean."""
        found: dict[str, list[float]] = {o: [] for o in self.recipe.organs}
        for case in self.validation:
            extent = np.asarray(case.ct.shape) * case.spacing_zyx_mm / self.recipe.locate_spacing
            shape = tuple(int(np.ceil(n / 8) * 8) for n in extent)
            centre = (np.asarray(case.ct.shape) - 1) / 2
            pose = Pose(centre, self.recipe.locate_spacing, (shape[0], shape[1], shape[2]), np.eye(3), np.ones(3))
            crop = draw(case, pose, self.recipe.organs, self.smooth[case.name])
            logits = network(normalise(crop.ct, self.recipe)[None, None].to(device))[0].float().cpu()
            for i, organ in enumerate(self.recipe.organs):
                if case.whole(organ):
                    found[organ].append(dice(logits[i] > 0, crop.labels[i] > 0.5))
        scores = {o: float(np.mean(v)) for o, v in found.items() if v}
        scores["score"] = float(np.mean(list(scores.values())))
        return scores

    def _case(self, rng: np.random.Generator) -> Case:
        negative = self.negatives and rng.random() < self.recipe.locate_negatives
        cases = self.negatives if negative else self.training
        return cases[rng.integers(len(cases))]

    def _sample(self, case: Case, rng: np.random.Generator) -> Batch:
        rotation, scale, shift = random_pose(rng, self.recipe.poses)
        size = np.asarray(case.ct.shape, float)
        jitter = self.recipe.locate_jitter_mm
        if case.known and rng.random() < 0.7:
            centre = case.centre_index(list(case.known)[rng.integers(len(case.known))])
        else:
            centre = rng.uniform(0.1, 0.9, 3) * size
        centre = centre + rng.uniform(-jitter, jitter, 3) / case.spacing_zyx_mm + shift / case.spacing_zyx_mm
        # in plane the window holds most of the body; keep it near the middle
        centre[1:] = 0.5 * centre[1:] + 0.25 * size[1:]
        mirror = bool(rng.random() < 0.5) and self.recipe.mirror
        pose = Pose(centre, self.recipe.locate_spacing, self.recipe.locate_shape, rotation, scale, mirror)
        crop = draw(case, pose, self.recipe.organs, self.smooth[case.name])
        return {"image": finish(crop, case, pose, self.recipe, rng), "labels": crop.labels, "known": crop.known}


def smoothed(case: Case, spacing_mm: tuple[float, float, float]) -> NDArray[np.int16]:
    """The CT low-passed as the engine's triangle filter does when it samples the coarse grid.

    A triangle of half-width w has the variance w^2/6; interpolating linearly between voxels of size s already gives
    s^2/6, the rest is a Gaussian.
    """
    sigma = [np.sqrt(max(0.0, w * w - s * s) / 6) / s for w, s in zip(spacing_mm, case.spacing_zyx_mm, strict=True)]
    return ndimage.gaussian_filter(case.ct.astype(np.float32), sigma).astype(np.int16)

"""S-Net: every organ at once in a chunk of slices (papers/004, sections 3.1.1 and 3.2).

Nobody contoured all organs in all scans. "Background" of a scan means: none of the organs that were contoured in it.
So the shares of those that were not are added to that of background (their logits are joined), and pushed nowhere.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.snet import SNet, SNetOutput
from TwoStageSegLib.systems.focus_scan import chunk_starts

from ...data.prepared import Case
from ...losses.focus import focal_and_dice, size_weights
from ...tasks.base import Batch, stack
from . import MAIN
from .chunks import Chunks
from .networks import snet
from .recipe import FocusRecipe

NOWHERE = -30.0  # logit of a class that a scan's labels do not have; minus infinity would make 0 * infinity of its loss


class MainTask:
    """Trains S-Net. ``limit``: of the validation cases, those with the most organs."""

    name = MAIN

    def __init__(self, recipe: FocusRecipe, training: list[Case], validation: list[Case], limit: int = 10):
        self.recipe = recipe
        self.chunks = Chunks(recipe, training)
        self.validation = Chunks(recipe, sorted(validation, key=lambda c: -_organs(c, recipe))[:limit])
        self.weights = recipe.class_weights or _printed_weights(recipe, self.chunks)

    def network(self) -> SNet:
        return snet(self.recipe)

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([self.chunks.sample(rng, whole=False) for _ in range(self.recipe.chunks)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        return main_loss(network(batch["image"]), batch, self.weights, self.recipe)

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ over whole scans, chunk after chunk; ``score`` is their mean."""
        scores = main_scores(network, self.validation, device)
        return {**scores, "score": float(np.mean(list(scores.values())))}


def main_loss(answer: SNetOutput, batch: Batch, weights: tuple[float, ...], recipe: FocusRecipe) -> Tensor:
    """Equations 1 to 3, over the classes that the scan's labels have."""
    known = torch.cat((torch.ones_like(batch["known"][:, :1]), batch["known"]), 1)
    target = one_hot(batch["labels"])
    return focal_and_dice(joined(answer.logits.float(), known), target, weights, known.float(), recipe.balance)


def joined(logits: Tensor, known: Tensor) -> Tensor:
    """Logits ``(n, classes, D, H, W)`` with background for all classes that are not ``known`` (n, classes)."""
    there = known[..., None, None, None]
    rest = logits.masked_fill(there, -torch.inf)
    rest[:, :1] = logits[:, :1]
    return torch.cat((rest.logsumexp(1, keepdim=True), logits[:, 1:].masked_fill(~there[:, 1:], NOWHERE)), 1)


def one_hot(labels: Tensor) -> Tensor:
    """``(n, organs, D, H, W)`` bool -> with background in front, float."""
    return torch.cat((~labels.any(1, keepdim=True), labels), 1).float()


def main_scores(network: nn.Module, chunks: Chunks, device: torch.device) -> dict[str, float]:
    """Mean Dice per organ of the chunks' cases where it is whole, chunk after chunk without overlap."""
    recipe, depth = chunks.recipe, chunks.recipe.chunk_slices
    found: dict[str, list[float]] = {organ: [] for organ in recipe.organs}
    for case in chunks.cases:
        grid = chunks.grid(case)
        assert grid is not None
        both, either = np.zeros(len(recipe.organs)), np.zeros(len(recipe.organs))
        done = 0
        for first in chunk_starts(grid.shape[0], depth, depth):
            sample = chunks.plain(case, first)
            best = network(sample["image"][None].to(device)).logits[0].float().argmax(0).cpu()
            for i in range(len(recipe.organs)):
                mask, true = (best == i + 1)[done - first :], sample["labels"][i][done - first :]
                both[i] += int((mask & true).sum())
                either[i] += int(mask.sum()) + int(true.sum())
            done = first + depth
        for i, organ in enumerate(recipe.organs):
            if case.whole(organ):
                found[organ].append(float(2 * both[i] / max(either[i], 1)))
    return {organ: float(np.mean(values)) for organ, values in found.items() if values}


def _organs(case: Case, recipe: FocusRecipe) -> int:
    return sum(case.whole(organ) for organ in recipe.organs)


def _printed_weights(recipe: FocusRecipe, chunks: Chunks) -> tuple[float, ...]:
    """Inversely proportional to the classes' mean sizes in voxels of S-Net's grid; background fills the rest."""
    voxel = float(np.prod(recipe.spacing))
    sizes = []
    for organ in recipe.organs:
        cases = [c for c in chunks.knowing[organ] if c.whole(organ)] or chunks.knowing[organ]
        volumes = [np.count_nonzero(c.labels == c.value(organ)) * np.prod(c.spacing_zyx_mm) for c in cases]
        sizes.append(float(np.mean(volumes)) / voxel if volumes else 1000.0)
    whole = recipe.chunk_slices * recipe.field_mm**2 / float(np.prod(recipe.spacing[1:]))
    return size_weights((max(whole - sum(sizes), 1.0), *sizes))

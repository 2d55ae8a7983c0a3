"""The fusion of the three views: 30 weights in the paper (views times classes), learned with the views frozen.

The paper says "weighted supervised fusion" and no more. Weights learned on cases that the views were trained on would
favour the view that remembers them best, so a share of the training cases (``held_out``) is kept from the views.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.seunet import ViewFusion
from TwoStageSegLib.systems.views import VIEWS

from ...data.prepared import Case
from ...losses.multi_view import class_weights, weighted_cross_entropy
from ...tasks.base import Batch
from ..weights import checkpoint
from .coarse import Coarse, coarse, view_logits
from .partial import class_voxels, known_only
from .recipe import COUNTED, MultiViewRecipe
from .view_task import coarse_validation, organ_dice, view_network

KEPT_VOXELS = 2**17  # of each case, drawn once: about an eighth of a neck with shoulders
DRAWN_VOXELS = 2**15
CASES = 4


class FusionTask:
    """Trains ``ViewFusion`` on random voxels of the held-out cases, with the views' loss."""

    name = "fusion"

    def __init__(self, recipe: MultiViewRecipe, training: list[Case], validation: list[Case], run: Path):
        self.recipe = recipe
        views = frozen_views(recipe, run)
        _, held = split(training, recipe.held_out)
        found = [c for case in held if (c := coarse(case, recipe)) is not None]
        rng = np.random.default_rng(0)
        self.voxels = [_some(c, votes(views, c), rng) for c in found]
        self.validation = coarse_validation(validation, recipe)
        self.answers = [votes(views, c).half() for _, c in self.validation]
        voxels = float(np.mean([c.image.size for c in found]))
        counts = class_voxels(held, recipe.organs, recipe.view_spacing, voxels)
        counted = recipe.view_weighting == COUNTED
        self.weight = class_weights(counts, recipe.weight_cap) if counted else None

    def network(self) -> ViewFusion:
        return ViewFusion(len(VIEWS), len(self.recipe.outputs))

    def batch(self, rng: np.random.Generator) -> Batch:
        """``logits`` (n, views, outputs, voxels), ``labels`` (n, voxels), ``known`` (n, organs)."""
        samples = []
        for _ in range(CASES):
            case = self.voxels[rng.integers(len(self.voxels))]
            chosen = torch.from_numpy(rng.integers(case["labels"].numel(), size=DRAWN_VOXELS))
            samples.append((case["logits"][..., chosen].float(), case["labels"][chosen], case["known"]))
        logits, labels, known = (torch.stack(parts) for parts in zip(*samples, strict=True))
        return {"logits": logits, "labels": labels, "known": known}

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        with torch.autocast(batch["logits"].device.type, enabled=False):
            logits = known_only(network(batch["logits"]), batch["known"])
        return weighted_cross_entropy(logits, batch["labels"], self.weight)

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ of the fused votes on whole validation cases; ``score`` is their mean."""
        with torch.autocast(device.type, enabled=False):
            fused = [network(answer.float()[None].to(device))[0].cpu() for answer in self.answers]
        return organ_dice(self.validation, fused, self.recipe)


def split(cases: Sequence[Case], share: float) -> tuple[list[Case], list[Case]]:
    """Cases for the views, and those held out for their fusion; by a hash of the name, so the same in every run.

    Of very few cases, where the hash may leave one side without any, both are all of them.
    """
    order = sorted(cases, key=lambda c: zlib.crc32(c.name.encode()))
    count = round(share * len(order))
    if count < 1 or count >= len(order):
        return list(cases), list(cases)
    held = {c.name for c in order[:count]}
    return [c for c in cases if c.name not in held], [c for c in cases if c.name in held]


def frozen_views(recipe: MultiViewRecipe, run: Path) -> dict[str, nn.Module]:
    """The three trained views of a run. Raises UsageError (E_RUN) if one has not been trained."""
    views: dict[str, nn.Module] = {}
    for name in VIEWS:
        views[name] = view_network(recipe)
        views[name].load_state_dict(checkpoint(run, name))
        views[name].eval()
    return views


def votes(views: dict[str, nn.Module], case: Coarse) -> Tensor:
    """Logits ``(views, outputs, Z, Y, X)`` of the three views in a whole case."""
    cpu = torch.device("cpu")
    with torch.autocast("cpu", torch.bfloat16):  # as they run
        return torch.stack([view_logits(views[name], case.image, axis, cpu) for name, axis in VIEWS.items()])


def _some(case: Coarse, logits: Tensor, rng: np.random.Generator) -> Batch:
    """``KEPT_VOXELS`` random voxels of a case, all of a smaller one: logits in half precision, labels, known organs."""
    count = case.labels.numel()
    chosen = torch.from_numpy(rng.permutation(count)[:KEPT_VOXELS])
    kept = logits.flatten(2)[..., chosen].half()
    return {"logits": kept, "labels": case.labels.flatten()[chosen], "known": case.known}

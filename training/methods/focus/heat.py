"""SOL-Net: the small organs' middles as heatmaps, from the features of the finished S-Net (papers/004, 3.1.2)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.networks.small_organs import SOLNet, peaks
from TwoStageSegLib.systems.focus_requirements import SEGMENT

from ...data.prepared import Case
from ...losses.focus import heatmap_l2
from ...tasks.base import Batch, stack
from . import HEAT, MAIN
from .chunks import Chunks
from .networks import frozen, snet, solnet, trained
from .recipe import FocusRecipe

WORST_MM = 30.0  # an error counts this much at most in the score


class HeatTask:
    """Trains SOL-Net. S-Net gives its features and stays as it is. ``per_organ``: validation cases."""

    name = HEAT

    def __init__(
        self, recipe: FocusRecipe, training: list[Case], validation: list[Case], run: Path, per_organ: int = 8
    ):
        self.recipe, self.per_organ = recipe, per_organ
        self.chunks, self.validation = Chunks(recipe, training), Chunks(recipe, validation)
        self.main = frozen(snet(recipe), trained(recipe, run, last=MAIN)[SEGMENT])

    def network(self) -> SOLNet:
        return solnet(self.recipe)

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([drawn(self.chunks, rng) for _ in range(self.recipe.chunks)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        with torch.no_grad():
            features = self.main.to(batch["image"].device)(batch["image"]).features
        return heat_loss(network(features), batch, self.recipe)

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean error of each organ's peak in mm (30 at most), in the chunk with the organ in its middle; ``score`` is 1
        where all peaks are right, 0 where all are 30 mm off."""
        main, errors = self.main.to(device), {}
        for i, organ in enumerate(self.recipe.small):
            found = []
            for sample in organ_chunks(self.validation, organ, self.per_organ):
                heat = network(main(sample["image"][None].to(device)).features).float().cpu()
                away = (peaks(heat)[0, i] - sample["centres"][i]) * torch.tensor(self.recipe.spacing)
                found.append(min(float(away.norm()), WORST_MM))
            if found:
                errors[f"{organ}_mm"] = float(np.mean(found))
        return {**errors, "score": 1 - float(np.mean(list(errors.values()))) / WORST_MM}


def heat_loss(logits: Tensor, batch: Batch, recipe: FocusRecipe) -> Tensor:
    """The L2 loss with an empty heatmap's at 1: the mean over a chunk of which the organ's Gaussian fills a ten
    thousandth would be too small a number beside other losses. Its integral squared is (sqrt(pi) * sigma)^3."""
    energy_mm3 = (math.sqrt(math.pi) * recipe.heat_sigma_mm) ** 3
    chunk_mm3 = math.prod(logits.shape[2:]) * math.prod(recipe.spacing)
    return heatmap_l2(logits, batch["heat"], batch["located"].float()) * (chunk_mm3 / energy_mm3)


def drawn(chunks: Chunks, rng: np.random.Generator) -> Batch:
    """A chunk for the small organs' networks."""
    return chunks.sample(rng, whole=bool(rng.random() < chunks.recipe.whole_share))


def organ_chunks(chunks: Chunks, organ: str, limit: int) -> list[Batch]:
    """The chunks with ``organ`` in their middle of the first cases that have all of it in one."""
    samples = (chunks.plain(case, chunks.around(case, organ)) for case in chunks.holding[organ][:limit])
    return [s for s in samples if bool(s["whole"][chunks.recipe.small.index(organ)])]

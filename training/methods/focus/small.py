"""The SOS-Nets against the autoencoder, turn by turn; S-Net and SOL-Net are finished (papers/004, 3.1.3 and 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from TwoStageSegLib.systems.focus_requirements import SEGMENT
from TwoStageSegLib.systems.requirements import LOCATE

from ...data.prepared import Case
from ...losses.focus import focal_and_dice
from ...tasks.base import Batch, Turn, dice, stack
from ..weights import checkpoint
from . import HEAT, SHAPES, SMALL
from .adversary import autoencoder_turn, shape_loss
from .chunks import Chunks
from .heat import drawn, organ_chunks
from .networks import Several, frozen, small_networks, snet, solnet, trained
from .recipe import FocusRecipe, role
from .rois import Seen, located_regions, regions

TRIES = 5


class SmallTask:
    """Trains the SOS-Nets, one per small organ, and the autoencoder. ``per_organ``: validation cases."""

    name = SMALL

    def __init__(
        self, recipe: FocusRecipe, training: list[Case], validation: list[Case], run: Path, per_organ: int = 8
    ):
        self.recipe, self.run, self.per_organ = recipe, run, per_organ
        self.chunks, self.validation = Chunks(recipe, training), Chunks(recipe, validation)
        self.start = {} if recipe.shapes == "none" else checkpoint(run, SHAPES)
        before = trained(recipe, run, last=HEAT)
        self.main, self.heat = frozen(snet(recipe), before[SEGMENT]), frozen(solnet(recipe), before[LOCATE])

    def network(self) -> Several:
        networks = small_networks(self.recipe)
        if SHAPES in networks:
            networks[SHAPES].load_state_dict(self.start)
        return Several(networks, still_ones(self.recipe))

    def batch(self, rng: np.random.Generator) -> Batch:
        return stack([small_sample(self.chunks, rng) for _ in range(self.recipe.chunks)])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        with torch.no_grad():
            seen = self._seen(batch["image"])
        return small_loss(network, batch, seen, self.recipe)

    def turns(self, network: nn.Module) -> list[Turn]:
        """G, then D against what G has just said."""
        assert isinstance(network, Several)
        own = [p for organ in self.recipe.small for p in network[role(organ)].parameters()]
        return [Turn(own, self.loss), *autoencoder_turn(network, self.recipe)]

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per small organ around SOL-Net's peak; ``score`` is their mean."""
        scores = small_scores(network, self._seen, self.validation, self.per_organ, device)
        return {**scores, "score": float(np.mean(list(scores.values())))}

    def _seen(self, image: Tensor) -> Seen:
        answer = self.main.to(image.device)(image)
        return Seen(answer, self.heat.to(image.device)(answer.features))


def still_ones(recipe: FocusRecipe) -> tuple[str, ...]:
    """An autoencoder that only saw true masks stays as it is ("origin AE")."""
    return (SHAPES,) if recipe.shapes == "plain" else ()


def small_sample(chunks: Chunks, rng: np.random.Generator) -> Batch:
    """A chunk that holds a small organ whole (a turned one may have lost a piece: again), and how far clicks miss."""
    for _ in range(TRIES):
        sample = drawn(chunks, rng)
        if bool(sample["whole"].any()):
            break
    jitter = rng.normal(0, chunks.recipe.jitter_mm, (len(chunks.recipe.small), 3))
    return {**sample, "jitter": torch.from_numpy(jitter.astype(np.float32))}


def small_loss(network: nn.Module, batch: Batch, seen: Seen, recipe: FocusRecipe) -> Tensor:
    """Equation 7, the mean over the small organs in the batch. What was predicted is left in the batch for the
    autoencoder's turn: ``predicted`` and ``true`` (k, 1, *roi)."""
    assert isinstance(network, Several)
    losses, predicted, true = [], [], []
    for number, organ in enumerate(recipe.small):
        found = regions(recipe, batch, seen, number)
        if found is None:
            continue
        logits = network[role(organ)](found.inputs).float()
        both = torch.cat((torch.zeros_like(logits), logits), 1)  # whose softmax is the sigmoid
        target = torch.cat((1 - found.masks, found.masks), 1)
        losses.append(focal_and_dice(both, target, recipe.small_weights, balance=recipe.small_balance))
        predicted.append(logits.sigmoid())
        true.append(found.masks)
    if not losses:  # no organ is whole in this batch: a loss all the same, of nothing
        return torch.stack([p.sum() for p in network.parameters() if p.requires_grad]).sum() * 0
    total = torch.stack(losses).mean()
    masks, truth = torch.cat(predicted), torch.cat(true)
    batch["predicted"], batch["true"] = masks.detach(), truth
    return total if recipe.shapes == "none" else total + shape_loss(network[SHAPES], masks, truth, recipe)


def small_scores(
    network: nn.Module, see: Callable[[Tensor], Seen], chunks: Chunks, per_organ: int, device: torch.device
) -> dict[str, float]:
    """Mean Dice per small organ in the chunk with it in the middle. ``see``: image -> ``Seen``."""
    assert isinstance(network, Several)
    recipe, scores = chunks.recipe, {}
    for number, organ in enumerate(recipe.small):
        found = []
        for sample in organ_chunks(chunks, organ, per_organ):
            batch = {k: v[None].to(device) for k, v in sample.items()}
            region = located_regions(recipe, batch, see(batch["image"]), number)
            true = sample["labels"][recipe.organs.index(organ)]
            mask = torch.zeros_like(true)
            z, y, x = (slice(s, s + n) for s, n in zip(region.start[0].tolist(), recipe.roi, strict=True))
            mask[z, y, x] = network[role(organ)](region.inputs)[0, 0].cpu() > 0
            found.append(dice(mask, true))
        if found:
            scores[organ] = float(np.mean(found))
    return scores

"""What ``fit`` needs to know about a network in training, and what the tasks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from ..augment import intensity
from ..data.prepared import Case
from ..sampling import Crop, Pose
from ..surroundings import paint

if TYPE_CHECKING:  # recipes import the packages of their methods, which import this
    from ..recipes.common import CommonRecipe

Batch = dict[str, Tensor]


class Task(Protocol):
    """One network, its batches, its loss and its validation score (higher is better, key ``score``)."""

    name: str

    def network(self) -> nn.Module: ...

    def batch(self, rng: np.random.Generator) -> Batch: ...

    def loss(self, network: nn.Module, batch: Batch) -> Tensor: ...

    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]: ...


@dataclass(frozen=True)
class Turn:
    """One of several optimiser steps on the same batch: what is stepped, and the loss ``(network, batch) -> ()``."""

    parameters: Iterable[nn.Parameter]
    loss: Callable[[nn.Module, Batch], Tensor]


@runtime_checkable
class Alternating(Protocol):
    """A task whose network holds several that are stepped in turn, each against its own loss (papers/004, section 4.2).

    Every turn has an optimiser of its own. ``loss`` is not called; the first turn's loss is what is logged.
    """

    def turns(self, network: nn.Module) -> list[Turn]: ...


def normalise(ct: Tensor, recipe: CommonRecipe) -> Tensor:
    """HU to network input, as the manifest's ``input`` says."""
    return (ct.clamp(*recipe.clip) - recipe.centre) / recipe.scale


def finish(crop: Crop, case: Case, pose: Pose, recipe: CommonRecipe, rng: np.random.Generator) -> Tensor:
    """Surroundings (of a CT), scanner differences and normalisation of a training crop: (1, D, H, W)."""
    if case.modality != "CT":
        return normalise(intensity(crop.ct, rng, recipe.intensities), recipe)[None]
    back_index = np.flatnonzero((case.outside == 0).any((0, 2)))[-1]
    to_back = (back_index - pose.centre_index[1]) * case.spacing_zyx_mm[1]
    ct = paint(crop.ct, crop.outside_mm, pose.spacing_mm, to_back + pose.shape[1] * pose.spacing_mm[1] / 2, rng)
    return normalise(intensity(ct, rng, recipe.intensities), recipe)[None]


def stack(samples: list[Batch]) -> Batch:
    return {key: torch.stack([s[key] for s in samples]) for key in samples[0]}


def dice(a: Tensor, b: Tensor) -> float:
    """Dice of two boolean tensors; 1 if both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2 * int((a & b).sum()) / total

"""What the two networks' tasks share: slices of all training cases drawn by balance sampling, validation as it runs."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import nn

from TwoStageSegLib.errors import UsageError

from ...data.prepared import Case
from ...tasks.base import Batch, stack
from .augmented import augmented
from .recipe import SliceFilterRecipe
from .slices import balanced, preprocess_of, sliced

N = TypeVar("N", bound=nn.Module)


class SliceTask:
    """Slices for a network with pixels of ``pixel_mm`` and sides that are multiples of ``multiple``."""

    def __init__(
        self,
        recipe: SliceFilterRecipe,
        training: list[Case],
        validation: list[Case],
        pixel_mm: float,
        multiple: int,
    ):
        self.recipe, self.pixel_mm, self.multiple = recipe, pixel_mm, multiple
        self.preprocess = preprocess_of(recipe)
        self.training = sliced(training, recipe, pixel_mm)
        self.validation = [s for s in sliced(validation, recipe, pixel_mm) if s.shows.any()]
        self.shows = np.concatenate([s.shows for s in self.training]) if self.training else np.zeros(0, bool)
        self.index = [(s, z) for s in self.training for z in s.slices]
        if not self.shows.any() or not self.validation:
            raise UsageError(
                "E_RECIPE", f"The recipe {recipe.name} needs training and validation cases with {recipe.organ}."
            )

    def samples(self, count: int, theta: float | None, rng: np.random.Generator) -> Batch:
        """``image`` and ``organ``, both (count, 1, H, W), and ``shows`` (count,): does the slice show the organ."""
        chosen = balanced(self.shows.tolist(), theta, count, rng)
        batch = stack([self._sample(int(i), rng) for i in chosen])
        return batch | {"shows": torch.from_numpy(self.shows[chosen]).long()}

    def _sample(self, i: int, rng: np.random.Generator) -> Batch:
        s, z = self.index[i]
        field = s.field(self.recipe.field_mm, self.pixel_mm, self.multiple)
        return augmented(s, z, field.pixels, self.pixel_mm, self.recipe, rng)


def channels_last(network: N) -> N:
    """The network with its weights as 2D convolutions on a CPU like them best: a quarter less time per step."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network

"""What the 2D and the 3D segmenter of ``slice-centre`` share: Dice + alpha * focal, and how they are scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from TwoStageSegLib.metrics import dice
from TwoStageSegLib.systems.crops import multiples_of
from TwoStageSegLib.systems.runner import build
from TwoStageSegLib.systems.slice_draw import Drawing
from TwoStageSegLib.systems.slice_track import Track

from ...calibrate import THRESHOLDS
from ...data.prepared import Case
from ...losses.slice_centre import dice_focal, next_alpha
from ...sampling import Pose, draw
from ...tasks.base import Batch, finish, stack
from ..inputs import preprocess_of
from .centres import Errors, drawn_errors, steady
from .finish_slice import finish_slice
from .live import LiveRunner
from .parts import network_spec, organ_of
from .recipe import SliceCentreRecipe
from .slices import OrganSlices, organ_slices

NEVER = -30.0
"""The logit put where nothing is known of the organ: with a target of 0 it adds nothing to the loss."""


class DrawTask(ABC):
    """Trains on crops around the contour's centres, moved by ``errors`` (mm)."""

    role: ClassVar[str]

    def __init__(
        self, name: str, recipe: SliceCentreRecipe, training: list[Case], validation: list[Case], errors: Errors
    ):
        self.name, self.recipe, self.errors = name, recipe, errors
        self.spec, self.organ = network_spec(recipe, self.role), organ_of(recipe, self.role)
        self.cases = [(c, s) for c in training if (s := organ_slices(c, recipe.organ)).shows.size]
        whole = [c for c in validation if c.whole(recipe.organ)]
        self.validation = [(c, organ_slices(c, recipe.organ)) for c in whole]
        self.preprocess, self.alpha = preprocess_of(recipe), recipe.alpha
        side = np.array([recipe.crop_mm / self.spec.spacing_mm[1]])
        self.pixels = int(multiples_of(side, build(self.spec).multiple)[0])

    def network(self) -> nn.Module:
        return build(self.spec)

    def batch(self, rng: np.random.Generator) -> Batch:
        chosen = [self.cases[i] for i in rng.integers(len(self.cases), size=self.count)]
        return stack([self.sample(case, slices, rng) for case, slices in chosen])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch["image"]).float().masked_fill(~batch["known"], NEVER)
        return dice_focal(self.alpha)(logits, batch["labels"])

    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice over whole organs, drawn by the engine around centres that are off as in training.

        ``score``: at the best threshold; ``ratio``: drawn / true voxels at one half.
        """
        runner = LiveRunner(self.spec, network, device)
        found, drawn, true = [], 0, 0
        for case, slices in self.validation:
            track = self.moved_track(case, slices.track, steady(case))
            drawing = self.drawing(case, track, runner)
            truth, beyond = _truth(case, drawing, self.recipe.organ)
            found.append([_dice(drawing.filled > t, truth, beyond) for t in THRESHOLDS])
            drawn += int((drawing.filled > 0.5).sum())
            true += int(truth.sum()) + beyond
        mean, ratio = np.mean(found, 0), drawn / max(true, 1)
        if self.recipe.alpha_rule:
            self.alpha = next_alpha(self.alpha, ratio)
        best = int(np.argmax(mean))
        return {"score": float(mean[best]), "threshold": THRESHOLDS[best], "ratio": ratio, "alpha": self.alpha}

    def moved_track(self, case: Case, track: Track, rng: np.random.Generator) -> Track:
        """The track with centres as far off as those that the network will meet."""
        errors = drawn_errors(self.errors, len(track.centres), rng)
        return Track(track.first, track.centres + errors / np.asarray(case.spacing_zyx_mm)[1:])

    def finished(self, case: Case, pose: Pose, known: NDArray[np.bool_], rng: np.random.Generator) -> Batch:
        """The crop at ``pose`` as image, labels and ``known`` (per slice), each ``(1, D, H, W)``."""
        crop = draw(case, pose, self.recipe.organs)
        there = torch.from_numpy(known)[None, :, None, None]
        if len(known) == 1:
            image = finish_slice(crop, case, pose, self.recipe, rng)[None]
        else:
            image = finish(crop, case, pose, self.recipe, rng)
        return {"image": image, "labels": crop.labels * there, "known": there}

    @property
    @abstractmethod
    def count(self) -> int:
        """Samples per batch."""

    @abstractmethod
    def sample(self, case: Case, slices: OrganSlices, rng: np.random.Generator) -> Batch: ...

    @abstractmethod
    def drawing(self, case: Case, track: Track, runner: LiveRunner) -> Drawing: ...


def _truth(case: Case, drawing: Drawing, organ: str) -> tuple[NDArray[np.bool_], int]:
    """The contour in the drawing's voxels, and how many of its voxels lie beyond them."""
    full = case.labels == case.value(organ)
    box = tuple(slice(s, s + n) for s, n in zip(drawing.start, drawing.values.shape, strict=True))
    return full[box], int(full.sum()) - int(full[box].sum())


def _dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_], beyond: int) -> float:
    if not beyond:
        return dice(mask, truth)
    return 2 * int((mask & truth).sum()) / (int(mask.sum()) + int(truth.sum()) + beyond)

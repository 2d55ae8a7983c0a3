"""A view of the coarse stage: a 2D SE-U-Net on slices across one axis, all organs and background at once (III.A)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from TwoStageSegLib.networks.seunet import SEUNet
from TwoStageSegLib.systems.views import VIEWS

from ...augment import random_pose
from ...data.prepared import Case
from ...losses.multi_view import class_weights, weighted_cross_entropy
from ...sampling import Crop, Pose, draw
from ...tasks.base import Batch, dice, finish, normalise
from ...tasks.locate import smoothed
from .coarse import Coarse, body_grid, classes, coarse, view_logits
from .partial import class_voxels, known_only
from .recipe import COUNTED, MultiViewRecipe


class ViewTask:
    """Trains ``axial``, ``coronal`` or ``sagittal`` on slices of the body as the running system cuts them."""

    def __init__(self, name: str, recipe: MultiViewRecipe, training: list[Case], validation: list[Case]):
        self.name, self.recipe, self.axis = name, recipe, VIEWS[name]
        self.training = training
        self.grids = {c.name: body_grid(c, recipe) for c in training}
        self.smooth = {c.name: smoothed(c, recipe.view_spacing) for c in training}
        self.validation = coarse_validation(validation, recipe)
        voxels = float(np.mean([np.prod(g.shape) for g in self.grids.values()]))
        self.counts = class_voxels(training, recipe.organs, recipe.view_spacing, voxels)
        counted = recipe.view_weighting == COUNTED
        self.weight = class_weights(self.counts, recipe.weight_cap) if counted else None

    def network(self) -> nn.Module:
        """A new network that begins with how much each class counts: else hundreds of steps go by learning that."""
        network = view_network(self.recipe)
        share = torch.tensor(self.counts) * (1.0 if self.weight is None else self.weight)
        with torch.no_grad():
            cast(Tensor, network.head.bias).copy_((share / share.sum()).log())
        return network

    def batch(self, rng: np.random.Generator) -> Batch:
        """``image`` (n, 1, H, W), ``labels`` (n, H, W), ``known`` (n, organs); smaller bodies are filled up behind with
        air, as the running system fills them up to a multiple."""
        r = self.recipe
        parts = [self._slices(self.training[rng.integers(len(self.training))], rng) for _ in range(r.view_cases)]
        height, width = (max(p["labels"].shape[a] for p in parts) for a in (1, 2))
        air = float(normalise(torch.tensor(self.training[0].air), r))
        for part in parts:
            h, w = part["labels"].shape[1:]
            part["image"] = F.pad(part["image"], (0, width - w, 0, height - h), value=air)
            part["labels"] = F.pad(part["labels"], (0, width - w, 0, height - h))
        return {key: torch.cat([p[key] for p in parts]) for key in parts[0]}

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = known_only(network(batch["image"]).float(), batch["known"])
        return weighted_cross_entropy(logits, batch["labels"], self.weight)

    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean Dice per organ on the coarse grid of whole cases; ``score`` is their mean."""
        answers = [view_logits(network, found.image, self.axis, device) for _, found in self.validation]
        return organ_dice(self.validation, answers, self.recipe)

    def _slices(self, case: Case, rng: np.random.Generator) -> Batch:
        """Parallel slices of one case, from one draw, each in surroundings and with values of its own."""
        pose = self._pose(case, rng)
        crop = draw(case, pose, self.recipe.organs, self.smooth[case.name])
        labels = classes(crop).movedim(self.axis, 0)
        images = [self._finished(crop, case, pose, i, rng) for i in range(self.recipe.view_slices)]
        return {"image": torch.stack(images), "labels": labels, "known": crop.known.expand(len(images), -1)}

    def _pose(self, case: Case, rng: np.random.Generator) -> Pose:
        """Somewhere along the axis, the whole body in the other two: a canvas as large as the body after scaling,
        filled up behind, as the running system does, to a multiple."""
        r, grid, axis = self.recipe, self.grids[case.name], self.axis
        rotation, scale, shift = random_pose(rng, r.poses)
        mirror = bool(rng.random() < 0.5) and r.mirror
        size = np.asarray(grid.shape, float)
        shape = np.ceil(size / scale / r.multiple).astype(int) * r.multiple
        spacing = np.array(r.view_spacing)
        shape[axis], spacing[axis] = r.view_slices, spacing[axis] * r.view_stride
        middle = shape * scale / 2 - 0.5  # in voxels of the body's grid, whose first edge is the canvas's
        if mirror:
            middle[2] = size[2] - 1 - middle[2]
        half = min((r.view_slices - 1) / 2 * r.view_stride * scale[axis], (size[axis] - 1) / 2)
        middle[axis] = np.clip(self._along(case, rng), half, size[axis] - 1 - half)
        centre = np.asarray(grid.start) + np.asarray(grid.step) * middle + shift / case.spacing_zyx_mm
        (d, h, w), (sz, sy, sx) = shape.tolist(), spacing.tolist()
        return Pose(centre, (sz, sy, sx), (d, h, w), rotation, scale, mirror)

    def _along(self, case: Case, rng: np.random.Generator) -> float:
        """A place along the axis, in voxels of the body's grid: in a random contoured organ, or anywhere."""
        grid, axis, organs = self.grids[case.name], self.axis, list(case.known)
        if not organs or rng.random() >= self.recipe.view_near:
            return float(rng.uniform(0, grid.shape[axis] - 1))
        low, high = case.known[organs[rng.integers(len(organs))]].box[axis]
        return float((rng.uniform(low, high) - grid.start[axis]) / grid.step[axis])

    def _finished(self, crop: Crop, case: Case, pose: Pose, i: int, rng: np.random.Generator) -> Tensor:
        """The ``i``-th slice (1, H, W). Neighbours are far apart: their values must not be smoothed together."""
        one = slice(i, i + 1)
        part = [slice(None)] * 3
        part[self.axis] = one
        shape, centre = list(pose.shape), pose.centre_index.copy()
        offset = (i - (shape[self.axis] - 1) / 2) * pose.spacing_mm[self.axis] * pose.scale[self.axis]
        centre[self.axis] += offset / case.spacing_zyx_mm[self.axis]
        shape[self.axis] = 1
        alone = Crop(crop.ct[tuple(part)], crop.outside_mm[tuple(part)], crop.labels, crop.known)
        here = replace(pose, centre_index=centre, shape=(shape[0], shape[1], shape[2]))
        return finish(alone, case, here, self.recipe, rng).select(1 + self.axis, 0)


def view_network(recipe: MultiViewRecipe) -> SEUNet:
    return SEUNet(2, 1, len(recipe.outputs), recipe.view_widths, recipe.squeeze, recipe.norm)


def coarse_validation(cases: list[Case], recipe: MultiViewRecipe, limit: int = 10) -> list[tuple[Case, Coarse]]:
    """The cases with most whole organs on the coarse grid."""
    best = sorted(cases, key=lambda c: -sum(c.whole(o) for o in recipe.organs))[:limit]
    return [(case, found) for case in best if (found := coarse(case, recipe)) is not None]


def organ_dice(cases: list[tuple[Case, Coarse]], logits: list[Tensor], recipe: MultiViewRecipe) -> dict[str, float]:
    """Mean Dice of each organ over the cases where it is whole; ``score`` is the organs' mean."""
    found: dict[str, list[float]] = {organ: [] for organ in recipe.organs}
    for (case, truth), answer in zip(cases, logits, strict=True):
        chosen = answer.argmax(0)
        for number, organ in enumerate(recipe.organs, 1):
            if case.whole(organ):
                found[organ].append(dice(chosen == number, truth.labels == number))
    scores = {organ: float(np.mean(values)) for organ, values in found.items() if values}
    return scores | {"score": float(np.mean(list(scores.values())))}

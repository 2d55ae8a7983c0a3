"""The views' grid of a case: what the running system shows the three networks, and the contours on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from TwoStageSegLib.grid import Grid
from TwoStageSegLib.systems.coarse import coarse_body
from TwoStageSegLib.systems.views import BATCH

from ...data.prepared import Case
from ...reference import volume_of
from ...sampling import Crop, Pose, draw
from ..inputs import preprocess_of
from .recipe import MultiViewRecipe

UNKNOWN = -100
"""Label of a voxel that no loss counts: what torch's cross-entropy leaves out."""


@dataclass(frozen=True, eq=False)
class Coarse:
    """``image`` (Z, Y, X) float32 as the views see it; ``labels`` (Z, Y, X) int64: class, ``UNKNOWN`` where an organ
    that nobody vouches for was drawn; ``known`` (organs,) bool."""

    image: NDArray[np.float32]
    labels: Tensor
    known: Tensor


def body_grid(case: Case, recipe: MultiViewRecipe) -> Grid:
    """The coarse grid around the case's body; of a scan in which none is found, around all of it."""
    found = coarse_body(volume_of(case), recipe.view_spacing, preprocess_of(recipe))
    if found is not None:
        return found[0]
    step = np.asarray(recipe.view_spacing) / case.spacing_zyx_mm
    z, y, x = (int(np.ceil(n / s)) for n, s in zip(case.ct.shape, step, strict=True))
    return Grid((0.0, 0.0, 0.0), (float(step[0]), float(step[1]), float(step[2])), (z, y, x))


def coarse(case: Case, recipe: MultiViewRecipe) -> Coarse | None:
    """A case as ``systems.multi_view.MultiView.locate`` sees it; None if that finds no body."""
    prepare = preprocess_of(recipe)
    found = coarse_body(volume_of(case), recipe.view_spacing, prepare)
    if found is None:
        return None
    grid, body = found
    image = prepare.normalised(prepare.padded(body, recipe.multiple))
    crop = draw(case, pose_of(grid, recipe, image.shape), recipe.organs)
    return Coarse(image, classes(crop), crop.known)


def pose_of(grid: Grid, recipe: MultiViewRecipe, shape: tuple[int, ...]) -> Pose:
    """The pose of a crop that lies as ``grid`` does, filled up behind its last voxels to ``shape``."""
    centre = np.asarray(grid.start) + np.asarray(grid.step) * (np.asarray(shape) - 1) / 2
    return Pose(centre, recipe.view_spacing, (shape[0], shape[1], shape[2]), np.eye(3), np.ones(3))


def classes(crop: Crop) -> Tensor:
    """A crop's organs (shares of 0..1) as classes: 0 background, 1 + the organ's number, ``UNKNOWN``."""
    most, organ = crop.labels.max(0)
    found = torch.where(most > 0.5, organ + 1, 0)
    unknown = torch.cat((torch.tensor([False]), ~crop.known))
    return found.masked_fill(unknown[found], UNKNOWN)


@torch.no_grad()
def view_logits(network: nn.Module, image: NDArray[np.float32], axis: int, device: torch.device) -> Tensor:
    """One view's answer in a whole image: ``(Z, Y, X)`` -> ``(outputs, Z, Y, X)`` float32, slices across ``axis``."""
    slices = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, axis, 0)))[:, None]
    answers = [network(part.to(device)).float().cpu() for part in slices.split(BATCH)]
    return torch.cat(answers).movedim(1, 0).movedim(1, axis + 1)

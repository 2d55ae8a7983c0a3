"""Chunks of slices as the engine cuts them: the square around the body's middle, on S-Net's grid.

A chunk in training is turned, scaled and moved; where it lies along z is drawn so that organs are in it. The paper
draws S-Net's chunks anywhere in scans of a head; ours reach from the skull to the chest, where most organs are not.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from TwoStageSegLib.grid import Grid
from TwoStageSegLib.systems.focus_scan import Frame, body_grid

from ...augment import random_pose
from ...data.prepared import Case
from ...heatmaps import gaussian_mm
from ...reference import volume_of
from ...sampling import Crop, Pose, draw, mirrored
from ...tasks.base import Batch, finish, normalise
from ...tasks.locate import smoothed
from ..inputs import preprocess_of
from .recipe import FocusRecipe

MULTIPLE = 4  # of S-Net's sides in plane
MARGIN_MM = 4.0  # around an organ that a chunk shall hold whole


class Chunks:
    """The chunks of some cases. Grids and smoothed scans are made when a case is first drawn, and kept."""

    def __init__(self, recipe: FocusRecipe, cases: list[Case]):
        self.recipe = recipe
        self.preprocess = preprocess_of(recipe)
        self.frame = Frame(recipe.spacing, recipe.field_mm, recipe.chunk_slices, MULTIPLE)
        self._grids: dict[str, Grid] = {}
        self._smooth: dict[str, NDArray[np.int16]] = {}
        self.cases = [case for case in cases if self.grid(case) is not None]
        self.knowing = {o: [c for c in self.cases if o in c.known] for o in recipe.organs}
        self.holding = {o: [c for c in self.cases if c.whole(o)] for o in recipe.small}

    def grid(self, case: Case) -> Grid | None:
        """What the engine would look at of the case, all chunks in one; None if there is no body."""
        if case.name not in self._grids:
            grid = body_grid(volume_of(case), self.preprocess, self.frame)
            if grid is None:
                return None
            self._grids[case.name] = grid
        return self._grids[case.name]

    def sample(self, rng: np.random.Generator, whole: bool) -> Batch:
        """A random chunk. ``whole``: of those that hold a small organ whole, else of those that hold part of any."""
        organs = self.holding if whole else self.knowing
        organ = [o for o, cases in organs.items() if cases][rng.integers(sum(bool(c) for c in organs.values()))]
        case = organs[organ][rng.integers(len(organs[organ]))]
        rotation, scale, shift = random_pose(rng, self.recipe.poses)
        grid = self.grid(case)
        assert grid is not None
        centre = self._centre(grid, 0.0) + shift / case.spacing_zyx_mm
        centre[0] = self._along_z(case, grid, organ, float(scale[0]), whole, rng)
        mirror = self.recipe.mirror and bool(rng.random() < 0.5)
        pose = Pose(centre, self.recipe.spacing, self._shape(grid), rotation, scale, mirror)
        crop = self._draw(case, pose)
        return self._batch(case, pose, crop, finish(crop, case, pose, self.recipe, rng))

    def plain(self, case: Case, first: int) -> Batch:
        """The chunk that the engine would see from slice ``first`` of the case's grid on."""
        grid = self.grid(case)
        assert grid is not None
        pose = Pose(self._centre(grid, first), self.recipe.spacing, self._shape(grid), np.eye(3), np.ones(3))
        crop = self._draw(case, pose)
        return self._batch(case, pose, crop, normalise(crop.ct, self.recipe)[None])

    def around(self, case: Case, organ: str) -> int:
        """First slice of the chunk with the organ in its middle, as far as the grid allows."""
        grid = self.grid(case)
        assert grid is not None
        middle = (case.centre_index(organ)[0] - grid.start[0]) / grid.step[0]
        return int(
            np.clip(round(middle - (self.recipe.chunk_slices - 1) / 2), 0, grid.shape[0] - self.recipe.chunk_slices)
        )

    def _shape(self, grid: Grid) -> tuple[int, int, int]:
        return self.recipe.chunk_slices, grid.shape[1], grid.shape[2]

    def _centre(self, grid: Grid, first: float) -> NDArray[np.float64]:
        """Voxel index of the middle of the chunk from slice ``first`` on."""
        offset = np.array([first, 0, 0]) + (np.asarray(self._shape(grid)) - 1) / 2
        return np.asarray(grid.start) + np.asarray(grid.step) * offset

    def _along_z(
        self, case: Case, grid: Grid, organ: str, scale: float, whole: bool, rng: np.random.Generator
    ) -> float:
        """Voxel index of the middle slice: so that the organ is inside with a margin, or any of it is."""
        half = self.recipe.chunk_slices * self.recipe.spacing[0] * scale / 2 / case.spacing_zyx_mm[0]
        low, high = (float(v) for v in case.known[organ].box[0])
        if whole:
            margin = MARGIN_MM / case.spacing_zyx_mm[0]
            ends = high - 0.5 + margin - half, low - 0.5 - margin + half
        else:
            ends = low - 0.5 * half, high + 0.5 * half
        drawn = rng.uniform(*ends) if ends[0] < ends[1] else sum(ends) / 2
        first, last = self._centre(grid, 0)[0], self._centre(grid, grid.shape[0] - self.recipe.chunk_slices)[0]
        return float(np.clip(drawn, first, last))

    def _draw(self, case: Case, pose: Pose) -> Crop:
        if case.name not in self._smooth:
            self._smooth[case.name] = smoothed(case, pose.spacing_mm)
        return draw(case, pose, self.recipe.organs, self._smooth[case.name])

    def _batch(self, case: Case, pose: Pose, crop: Crop, image: Tensor) -> Batch:
        """``labels`` hard; per small organ: ``centres`` (index into the chunk), ``heat``, ``located`` (its heatmap is
        known), ``whole`` (it lies in the chunk with all it has)."""
        labels = crop.labels > 0.5
        heat, centres, located, whole = [], [], [], []
        for organ in self.recipe.small:
            name = mirrored(organ) if pose.mirror else organ
            mask = labels[self.recipe.organs.index(organ)]
            there = case.whole(name)
            centre = into_chunk(case.centre_index(name), case, pose) if there else np.zeros(3)
            drawn = gaussian_mm(pose.shape, centre.tolist(), pose.spacing_mm, self.recipe.heat_sigma_mm)
            heat.append(torch.from_numpy(drawn if there else np.zeros_like(drawn)))
            centres.append(centre)
            located.append(there or name in case.absent)
            whole.append(there and bool(mask.any()) and not bool(mask[0].any() or mask[-1].any()))
        return {
            "image": image,
            "labels": labels,
            "known": crop.known,
            "heat": torch.stack(heat),
            "centres": torch.from_numpy(np.array(centres, np.float32)),
            "located": torch.tensor(located),
            "whole": torch.tensor(whole),
        }


def into_chunk(index_zyx: NDArray[np.float64], case: Case, pose: Pose) -> NDArray[np.float64]:
    """Where a voxel of the case lies in a crop, fractional index: the inverse of what ``draw`` does."""
    matrix = pose.rotation * np.where([False, False, pose.mirror], -1.0, 1.0) * pose.scale
    offset_mm = np.linalg.solve(matrix, (index_zyx - pose.centre_index) * case.spacing_zyx_mm)
    return np.asarray(offset_mm / pose.spacing_mm + (np.asarray(pose.shape) - 1) / 2)

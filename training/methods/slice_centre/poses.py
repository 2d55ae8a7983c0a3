"""Random poses of what is cut along a scan's own slices: turned, scaled and mirrored in plane, never between slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...augment import rotation_matrix
from ...data.prepared import Case
from ...sampling import Pose
from .recipe import SliceCentreRecipe


def plain_pose(case: Case, first: int, depth: int, centre_yx: ArrayLike, pixels: int, spacing_mm: float) -> Pose:
    """``depth`` slices from ``first`` on, in a square of ``pixels`` around an index, as the engine cuts it."""
    y, x = (float(c) for c in np.asarray(centre_yx, float))
    spacing = (case.spacing_zyx_mm[0], spacing_mm, spacing_mm)
    middle = np.array([first + (depth - 1) / 2, y, x])
    return Pose(middle, spacing, (depth, pixels, pixels), np.eye(3), np.ones(3))


def random_flat_pose(plain: Pose, recipe: SliceCentreRecipe, rng: np.random.Generator) -> Pose:
    """``plain`` turned about its centre, scaled and mirrored within its slices."""
    turn = recipe.poses.rotation_deg
    angle = np.deg2rad(np.clip(rng.normal(0, turn), -2.5 * turn, 2.5 * turn))
    factor = rng.uniform(*recipe.poses.scale)
    scale = np.array([1.0, factor, factor])
    scale[1:] *= rng.uniform(1 - recipe.poses.stretch, 1 + recipe.poses.stretch, 2)
    mirror = bool(recipe.mirror and rng.random() < 0.5)
    rotation = rotation_matrix(np.array([angle, 0.0, 0.0]))
    return Pose(plain.centre_index, plain.spacing_mm, plain.shape, rotation, scale, mirror)

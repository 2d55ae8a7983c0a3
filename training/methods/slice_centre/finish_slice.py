"""Surroundings and scanner differences of a single slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from ...data.prepared import Case
from ...sampling import Crop, Pose
from ...tasks.base import finish
from .recipe import SliceCentreRecipe

AROUND = 3
"""Slices that are painted, of which the middle one counts: things that begin and end between slices (a head-rest) are
never in a crop of one."""


def finish_slice(crop: Crop, case: Case, pose: Pose, recipe: SliceCentreRecipe, rng: np.random.Generator) -> Tensor:
    """As ``finish``, of a crop ``(1, H, W)``, repeated above and below itself: ``(1, H, W)``."""
    _, height, width = pose.shape
    thick = replace(
        crop, ct=crop.ct.expand(AROUND, height, width), outside_mm=crop.outside_mm.expand(AROUND, height, width)
    )
    image = finish(thick, case, replace(pose, shape=(AROUND, height, width)), recipe, rng)
    return image[:, AROUND // 2]

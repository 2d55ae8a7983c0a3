"""The 2D network of ``slice-centre``: one slice in a crop around its centre."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from TwoStageSegLib.systems.slice_draw import Drawing, draw_slices
from TwoStageSegLib.systems.slice_track import Track

from ...data.prepared import Case
from ...reference import volume_of
from ...tasks.base import Batch
from .centres import drawn_errors
from .draw_task import DrawTask
from .live import LiveRunner
from .parts import SEGMENT
from .poses import plain_pose, random_flat_pose
from .slices import OrganSlices


class FlatTask(DrawTask):
    """Mostly slices that show the organ; a few next to its ends, which a locator may name too."""

    role: ClassVar[str] = SEGMENT

    @property
    def count(self) -> int:
        return self.recipe.slice_batch

    def sample(self, case: Case, slices: OrganSlices, rng: np.random.Generator) -> Batch:
        z = self._slice(case, slices, rng)
        error = drawn_errors(self.errors, 1, rng)[0] / np.asarray(case.spacing_zyx_mm)[1:]
        plain = plain_pose(case, z, 1, slices.centre_at(z) + error, self.pixels, self.recipe.slice_spacing_mm)
        pose = random_flat_pose(plain, self.recipe, rng)
        sample = self.finished(case, pose, np.ones(1, bool), rng)
        return {key: value[:, 0] for key, value in sample.items()}

    def drawing(self, case: Case, track: Track, runner: LiveRunner) -> Drawing:
        return draw_slices(volume_of(case), track, self.organ, runner, self.preprocess)

    def _slice(self, case: Case, slices: OrganSlices, rng: np.random.Generator) -> int:
        if rng.random() < self.recipe.empty:
            reach = 2 * self.recipe.ends_mm / case.spacing_zyx_mm[0]
            near = (slices.empty >= slices.shows[0] - reach) & (slices.empty <= slices.shows[-1] + reach)
            if near.any():
                return int(rng.choice(slices.empty[near]))
        return int(rng.choice(slices.shows))

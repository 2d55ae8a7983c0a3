"""The 3D network of ``slice-centre``: a chunk of slices around the median of their centres."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.systems.slice_draw import Drawing, chunk_starts, draw_chunks
from TwoStageSegLib.systems.slice_requirements import CHUNK
from TwoStageSegLib.systems.slice_track import Track

from ...data.prepared import Case
from ...reference import volume_of
from ...tasks.base import Batch
from .draw_task import DrawTask
from .live import LiveRunner
from .poses import plain_pose, random_flat_pose
from .slices import OrganSlices


class ChunkTask(DrawTask):
    """Chunks of tracks whose ends and centres are off as a locator's, laid out as the running system does."""

    role: ClassVar[str] = CHUNK

    @property
    def count(self) -> int:
        return self.recipe.chunk_batch

    def sample(self, case: Case, slices: OrganSlices, rng: np.random.Generator) -> Batch:
        depth = self.recipe.chunk_slices
        track = self.moved_track(case, self._ended(case, slices, rng), rng)
        first = int(rng.choice(list(chunk_starts(track, depth))))
        inside = [c for z, c in zip(track.slices, track.centres, strict=True) if first <= z < first + depth]
        plain = plain_pose(case, first, depth, np.median(inside, 0), self.pixels, self.recipe.chunk_spacing_mm)
        pose = random_flat_pose(plain, self.recipe, rng)
        return self.finished(case, pose, known_slices(case, slices, first, depth, self.recipe.organ), rng)

    def drawing(self, case: Case, track: Track, runner: LiveRunner) -> Drawing:
        return draw_chunks(volume_of(case), track, self.organ, runner, self.preprocess, self.recipe.chunk_slices)

    def _ended(self, case: Case, slices: OrganSlices, rng: np.random.Generator) -> Track:
        """The contour's track with a beginning and an end that a locator might have said."""
        moved = rng.normal(0, self.recipe.ends_mm / case.spacing_zyx_mm[0], 2).round().astype(int)
        ends = np.sort(np.array([slices.shows[0], slices.shows[-1]]) + moved)
        first, last = (int(e) for e in ends.clip(0, len(case.ct) - 1))
        return Track(first, np.array([slices.centre_at(z) for z in range(first, last + 1)]))


def known_slices(case: Case, slices: OrganSlices, first: int, depth: int, organ: str) -> NDArray[np.bool_]:
    """Of the slices ``first .. first + depth - 1``: is it known where the organ is? Beyond a cut end it is not."""
    z = np.arange(first, first + depth)
    return np.full(depth, True) if case.whole(organ) else (z >= slices.shows[0]) & (z <= slices.shows[-1])

"""What both networks of a bundle say of every slice of a case, asked once, by the engine's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.device import choose_device
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.slice_filter import SliceFilter
from TwoStageSegLib.systems.slice_positive import Seen, classified, range_region
from TwoStageSegLib.systems.slice_runs import best_run

from ...data.prepared import Case
from ...reference import mask_of, volume_of


@dataclass(frozen=True, eq=False)
class Measured:
    """One validation case.

    Parameters
    ----------
    positive : how probable the organ is in each slice of the body. truth : its contour.
    values, reference : SANet's probability in all those slices and the contour, both for the case's voxels from index
        ``start`` on. thickness_mm, depth : of the case's slices, and how many there are.
    """

    positive: dict[int, float]
    truth: Mask
    values: NDArray[np.float32]
    reference: NDArray[np.bool_]
    start: tuple[int, int, int]
    thickness_mm: float
    depth: int

    @property
    def shows(self) -> set[int]:
        """The slices that show the organ."""
        return {self.truth.start_zyx[0] + int(z) for z in np.flatnonzero(self.truth.voxels.any((1, 2)))}

    def best(self, cut: float, gaps: int) -> tuple[list[int], float]:
        """The run that the system would take, and its score; ([], 0) if there is none."""
        return best_run(self.positive, cut, gaps) or ([], 0.0)


def measured(model: Model, cases: Sequence[Case]) -> list[Measured]:
    """Every case that holds the whole organ."""
    system = SliceFilter(model, choose_device("auto"))
    organ = model.manifest.organ_names[0]
    found = []
    for case in cases:
        if case.whole(organ):
            volume = volume_of(case)
            seen = classified(volume, system.runners[LOCATE], system.preprocess, float(system.settings["field_mm"]))
            if seen.middle is not None:
                found.append(_measured(system, seen, mask_of(case, organ, volume)))
    return found


def _measured(system: SliceFilter, seen: Seen, truth: Mask) -> Measured:
    """Let SANet draw every slice of the body, as if the classifier had taken them all."""
    assert seen.middle is not None
    organ, geometry = system.manifest.organs[0], seen.volume.standard.geometry
    side = float(system.settings["field_mm"])
    region = range_region(sorted(seen.positive), 1.0, organ, geometry, seen.middle, side)
    evidence = system.evidence(seen.volume, region, again=False)
    start, values = evidence.start_zyx, evidence.probability
    where = tuple(slice(s, s + n) for s, n in zip(start, values.shape, strict=True))
    depth, thickness = geometry.shape_zyx[0], geometry.spacing_zyx_mm[0]
    return Measured(seen.positive, truth, values, truth.full()[where], start, thickness, depth)


def drawn(f: Measured, cut: float, gaps: int, margin_mm: float = 0.0) -> range:
    """The slices that SANet would draw: the best run, whole, with the margin on either side (``SliceFilter``)."""
    run, _ = f.best(cut, gaps)
    if not run:
        return range(0)
    beyond = int(np.floor(margin_mm / f.thickness_mm + 0.5 + 1e-6))  # whose middle lies within the margin
    return range(max(0, run[0] - beyond), min(f.depth - 1, run[-1] + beyond) + 1)

"""Numbers of a bundle that are measured, not chosen: box margins, thresholds, scores, volume ranges.

Measured on validation cases only (implausible contours left out). A margin is the largest distance by which a located
box missed a face of the organ among the validation cases, plus a quarter of it and half a coarse voxel, because so
few cases cannot show the 99th percentile (``deviations`` asks for more); 002 used a fixed 15 voxels. The organ's face
is where 99.7 % of it are on the inner side, so that a stray voxel of a contour does not set the margin. A box that
missed a face by more than ``GROSS_MM`` and by more than ``GROSS_PART`` of the organ's length there found something
else, which no margin mends: such cases count in the evaluation and are left out here. (The second condition was added
after an esophagus whose box ended 39 mm early had been left out, and the boxes of four of the twelve test cases were
too short.)

"Not located" begins at 85 % of the lowest score of the boxes that were right, "low confidence" at that score itself:
whatever is less sure than everything that was right in validation is shown as such.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.device import choose_device
from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import Model
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.crop_stage import CropStage
from TwoStageSegLib.volume import Volume

from .data.prepared import Case
from .reference import mask_of, true_box, volume_of

FACES = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))  # (axis x y z, low/high): order of margin_mm
GROSS_MM, GROSS_PART = 30.0, 1 / 3
STRAY = 0.003
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)


@dataclass
class Measured:
    """What validation showed of one organ."""

    misses: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    volumes: list[float] = field(default_factory=list)
    dices: list[list[float]] = field(default_factory=list)


def calibrate(
    model: Model,
    cases: list[Case],
    half_voxel_mm: float,
    device: str = "auto",
    gross_mm: float | None = None,
    deviations: float = 0.0,
) -> list[OrganSpec]:
    """Organ specs with margins, thresholds, scores and volumes measured on ``cases``; ``model`` has zero margins.

    Parameters
    ----------
    model : of a system that locates boxes and segments in crops.
    half_voxel_mm : half the voxel on which it locates. gross_mm : where "found something else" begins.
    deviations : a margin is also the mean miss and so many standard deviations; 0: only the largest miss counts.
    """
    system = create(model, choose_device(device))
    assert isinstance(system, CropStage)
    found = {name: Measured() for name in model.manifest.organ_names}
    for case in cases:
        volume = volume_of(case)
        regions = system.locate(volume, model.manifest.organ_names)
        for name, region in regions.items():
            if case.whole(name):
                _measure(found[name], system, volume, mask_of(case, name, volume), region, gross_mm or GROSS_MM)
    organs = [(model.manifest.organ(name), found[name]) for name in model.manifest.organ_names]
    return [_spec(spec, measured, half_voxel_mm, deviations) for spec, measured in organs]


def _measure(into: Measured, system: CropStage, volume: Volume, truth: Mask, region: Region, gross_mm: float) -> None:
    into.volumes.append(truth.volume_ml)
    into.dices.append(_dices(system, volume, truth, true_box(truth)))
    if region.bounds_lps is None:
        return
    found, true = np.reshape(region.bounds_lps, (3, 2)), _faces(truth)
    miss = [float((found - true)[a, s] * (1 if s == 0 else -1)) for a, s in FACES]
    if found_it(miss, true, gross_mm):
        into.misses.append(miss)
        into.scores.append(region.score)


def found_it(miss: list[float], faces: NDArray[np.float64], gross_mm: float) -> bool:
    """Whether a box is the organ's, and not something else.

    Parameters
    ----------
    miss : how far it ends short of the organ at each of ``FACES``, mm; negative: beyond. faces : (3, 2) of the organ.
    """
    allowed = np.maximum(gross_mm, GROSS_PART * np.repeat(faces[:, 1] - faces[:, 0], 2))
    return bool((np.asarray(miss) <= allowed).all())


def _faces(truth: Mask) -> NDArray[np.float64]:
    """(3, 2): low and high face of the organ along LPS x, y, z without its outermost ``STRAY`` share on each."""
    points = truth.geometry.index_to_lps(np.argwhere(truth.voxels) + truth.start_zyx)
    half = np.asarray(truth.geometry.spacing_xyz_mm)[:, None] / 2
    return np.quantile(points, (STRAY, 1 - STRAY), axis=0).T + half * [-1, 1]


def _dices(system: CropStage, volume: Volume, truth: Mask, box: Region) -> list[float]:
    start, values = system.probability(volume, box)
    full = truth.full()[tuple(slice(s, s + n) for s, n in zip(start, values.shape, strict=True))]
    return [dice(values > t, full) for t in THRESHOLDS]


def margins(misses: list[list[float]], half_voxel: float, deviations: float = 0.0) -> list[float]:
    """Margin per face (mm) from the misses of every case: what would have held each organ, and some more.

    Parameters
    ----------
    misses : (cases, 6), how far the box ended short of each of ``FACES``, mm. deviations : see ``calibrate``.
    """
    reach = 1.25 * np.max(misses, 0)
    if deviations and len(misses) > 1:
        reach = np.maximum(reach, np.mean(misses, 0) + deviations * np.std(misses, 0, ddof=1))
    return [round(max(0.0, float(v)) + half_voxel, 1) for v in reach]


def _spec(spec: OrganSpec, m: Measured, half_voxel: float, deviations: float) -> OrganSpec:
    """The organ's numbers; the threshold is the one with the best mean Dice."""
    if not m.misses:
        raise SystemExit(f"{spec.name} was located in no validation case where it is whole: train the locator longer.")
    return replace(
        spec,
        margin_mm=margins(m.misses, half_voxel, deviations),
        located_score=round(0.85 * min(m.scores), 3),
        low_score=round(min(m.scores), 3),
        threshold=THRESHOLDS[int(np.argmax(np.mean(m.dices, 0)))],
        volume_ml=[round(float(v), 1) for v in np.percentile(m.volumes, (0, 100))],
    )

"""Numbers of a bundle that are measured, not chosen: box margins, thresholds, scores, volume ranges.

Measured on validation cases only (implausible contours left out). A margin is the largest distance by which a located
box missed a face of the organ among the validation cases, plus a quarter of it and half a coarse voxel, because so
few cases cannot show the 99th percentile; 002 used a fixed 15 voxels. The organ's face is where 99.7 % of it are on
the inner side (six faces: a box that misses none holds 98.2 % at worst, in practice more than 99 %), so that a stray
voxel of a contour does not set the margin. Organs located more than ``GROSS_MM`` away were
confused with something else, which no margin mends: they are counted in the evaluation and left out here.
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
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.volume import Volume

from .data.prepared import Case
from .reference import mask_of, true_box, volume_of

FACES = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))  # (axis x y z, low/high): order of margin_mm
GROSS_MM = 40.0
STRAY = 0.003
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)


@dataclass
class Measured:
    """What validation showed of one organ."""

    misses: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    volumes: list[float] = field(default_factory=list)
    dices: list[list[float]] = field(default_factory=list)


def calibrate(model: Model, cases: list[Case], device: str = "auto") -> list[OrganSpec]:
    """Organ specs with margins, thresholds, scores and volumes measured on ``cases``; ``model`` has zero margins."""
    system = LocaliseCrop(model, choose_device(device))
    found = {name: Measured() for name in model.manifest.organ_names}
    for case in cases:
        volume = volume_of(case)
        regions = system.locate(volume, model.manifest.organ_names)
        for name, region in regions.items():
            if case.whole(name):
                _measure(found[name], system, volume, mask_of(case, name, volume), region)
    return [_spec(model.manifest.organ(name), found[name], model) for name in model.manifest.organ_names]


def _measure(into: Measured, system: LocaliseCrop, volume: Volume, truth: Mask, region: Region) -> None:
    into.volumes.append(truth.volume_ml)
    into.scores.append(region.score)
    box = true_box(truth)
    into.dices.append(_dices(system, volume, truth, box))
    if region.centre_lps is None or region.bounds_lps is None:
        return
    if np.linalg.norm(np.asarray(region.centre_lps) - np.asarray(box.centre_lps, float)) > GROSS_MM:
        return
    found, true = (np.asarray(bounds, float).reshape(3, 2) for bounds in (region.bounds_lps, box.bounds_lps))
    into.misses.append([float((found - true)[a, s] * (1 if s == 0 else -1)) for a, s in FACES])


def _faces(truth: Mask) -> NDArray[np.float64]:
    """(3, 2): low and high face of the organ along LPS x, y, z without its outermost ``STRAY`` share on each."""
    points = truth.geometry.index_to_lps(np.argwhere(truth.voxels) + truth.start_zyx)
    half = np.asarray(truth.geometry.spacing_xyz_mm)[:, None] / 2
    return np.quantile(points, (STRAY, 1 - STRAY), axis=0).T + half * [-1, 1]


def _dices(system: LocaliseCrop, volume: Volume, truth: Mask, box: Region) -> list[float]:
    start, values = system.probability(volume, box)
    full = truth.full()[tuple(slice(s, s + n) for s, n in zip(start, values.shape, strict=True))]
    return [dice(values > t, full) for t in THRESHOLDS]


def _spec(spec: OrganSpec, m: Measured, model: Model) -> OrganSpec:
    """The organ's numbers. "Not located" is below half the worst validation score, "low confidence" below the 5th
    percentile; the threshold is the one with the best mean Dice."""
    if not m.misses:
        raise SystemExit(f"{spec.name} was located in no validation case where it is whole: train the locator longer.")
    half_voxel = model.manifest.networks["locate"].spacing_mm[0] / 2
    margin = [round(max(0.0, 1.25 * float(v)) + half_voxel, 1) for v in np.max(m.misses, 0)]
    return replace(
        spec,
        margin_mm=margin,
        located_score=round(max(0.05, 0.5 * min(m.scores)), 3),
        low_score=round(max(0.1, float(np.percentile(m.scores, 5))), 3),
        threshold=THRESHOLDS[int(np.argmax(np.mean(m.dices, 0)))],
        volume_ml=[round(float(v), 1) for v in np.percentile(m.volumes, (0, 100))],
    )

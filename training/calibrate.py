"""Numbers of a bundle that are measured, not chosen: box margins, score thresholds, volume ranges.

Measured on validation cases only. A margin is the largest distance by which a located box missed a face of the true
one among the validation cases, plus a quarter of it and half a coarse voxel, because so few cases cannot show the
99th percentile; 002 used a fixed 15 voxels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from TwoStageSegLib.device import Device
from TwoStageSegLib.manifest import OrganSpec
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.localise_crop import LocaliseCrop

from .data.prepared import Case
from .reference import mask_of, true_box, volume_of

FACES = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))  # (axis x y z, low/high): order of margin_mm


def calibrate(model: Model, cases: list[Case]) -> list[OrganSpec]:
    """Organ specs with margins, thresholds and volume ranges measured on ``cases``. ``model`` must have zero margins."""
    system = LocaliseCrop(model, Device("cpu", "CPU", half=True))
    misses: dict[str, list[list[float]]] = {name: [] for name in model.manifest.organ_names}
    scores: dict[str, list[float]] = {name: [] for name in model.manifest.organ_names}
    volumes: dict[str, list[float]] = {name: [] for name in model.manifest.organ_names}
    for case in cases:
        volume = volume_of(case)
        regions = system.locate(volume, model.manifest.organ_names)
        for name, region in regions.items():
            if not case.whole(name):
                continue
            mask = mask_of(case, name, volume)
            volumes[name].append(mask.volume_ml)
            scores[name].append(region.score)
            if region.bounds_lps is None:
                continue
            found, true = np.reshape(region.bounds_lps, (3, 2)), np.reshape(true_box(mask).bounds_lps, (3, 2))
            misses[name].append([float((found - true)[a, s] * (1 if s == 0 else -1)) for a, s in FACES])
    return [_spec(model.manifest.organ(n), misses[n], scores[n], volumes[n], model) for n in model.manifest.organ_names]


def _spec(
    spec: OrganSpec, misses: list[list[float]], scores: list[float], volumes: list[float], model: Model
) -> OrganSpec:
    half_voxel = model.manifest.networks["locate"].spacing_mm[0] / 2
    margin = [round(max(0.0, 1.25 * float(m)) + half_voxel, 1) for m in np.asarray(misses).max(0)]
    return replace(
        spec,
        margin_mm=margin,
        located_score=round(max(0.05, 0.5 * min(scores)), 3),
        low_score=round(max(0.1, float(np.percentile(scores, 5))), 3),
        volume_ml=[round(float(v), 1) for v in np.percentile(volumes, (0, 100))],
    )

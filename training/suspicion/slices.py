"""Every slice of every organ with its signals and its true Dice, located and segmented automatically.

The cases must be ones that the networks were not trained on: on training cases the networks are surer than they should
be. A slice that nobody judges because it lies far beyond the mask, but where the reference has the organ, counts as
bad with no suspicion at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.review.evidence import Evidence
from TwoStageSegLib.review.findings import BAD_DICE
from TwoStageSegLib.review.signals import MAYBE, Slices, measure

from ..data.prepared import Case
from ..reference import mask_of, volume_of


@dataclass(frozen=True)
class Table:
    """Slices of one organ in all cases, one entry per slice.

    ``case`` names; ``bad``: Dice below ``BAD_DICE``; ``judged``: False for slices that no signal reaches;
    ``values``: signals, zero where not judged; ``entropy``: mean entropy of the probability, nats.
    """

    case: NDArray[np.str_]
    bad: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    entropy: NDArray[np.float64]

    def only(self, keep: NDArray[np.bool_]) -> Table:
        """The slices for which ``keep`` is True."""
        values = {name: v[keep] for name, v in self.values.items()}
        return Table(self.case[keep], self.bad[keep], self.judged[keep], values, self.entropy[keep])


def usual(cases: list[Case], organ: str) -> tuple[float, float]:
    """(mean density in HU, mean log volume in ml) of the whole reference contours."""
    densities, volumes = [], []
    for case in cases:
        if case.whole(organ):
            inside = case.labels == case.value(organ)
            densities.append(float(case.ct[inside].mean()))
            volumes.append(float(np.log(np.count_nonzero(inside) * np.prod(case.spacing_zyx_mm) / 1000)))
    return float(np.mean(densities)), float(np.mean(volumes))


def collect(model: Model, cases: list[Case], usually: dict[str, tuple[float, float]], whole: bool) -> dict[str, Table]:
    """A table per organ. ``whole``: leave out organs that the scan cuts. ``usually``: :func:`usual` per organ."""
    pipeline = Pipeline(model, "cpu")
    parts: dict[str, list[Table]] = {}
    for case in cases:
        volume = volume_of(case)
        regions = pipeline.locate(volume)
        for organ in model.manifest.organ_names:
            if organ not in case.known or (whole and not case.whole(organ)) or not regions[organ].usable:
                continue
            mask = pipeline.system.segment(volume, regions[organ])
            evidence = pipeline.system.evidence(volume, regions[organ], True)
            slices = measure(mask, evidence, volume, *usually[organ])
            if slices is not None:
                reference = mask_of(case, organ, volume)
                parts.setdefault(organ, []).append(_table(case.name, slices, mask, reference, evidence))
    return {organ: _joined(tables) for organ, tables in parts.items()}


def _table(case: str, slices: Slices, mask: Mask, reference: Mask, evidence: Evidence) -> Table:
    """Prepared cases are in standard orientation: their axis 0 is the slices' axis."""
    predicted, true = mask.full(), reference.full()
    both = (predicted & true).sum((1, 2))
    total = predicted.sum((1, 2)) + true.sum((1, 2))
    bad = 2 * both < BAD_DICE * total
    beyond = np.setdiff1d(np.flatnonzero(total), slices.index)
    index = np.concatenate([slices.index, beyond])
    judged = np.arange(len(index)) < len(slices.index)
    blank = np.zeros(len(beyond))
    values = {name: np.concatenate([v, blank]) for name, v in slices.values.items()}
    entropy = np.concatenate([_entropy(predicted, slices.index, evidence), blank])
    return Table(np.array([case] * len(index)), bad[index], judged, values, entropy)


def _entropy(mask: NDArray[np.bool_], index: NDArray[np.int64], evidence: Evidence) -> NDArray[np.float64]:
    """Mean binary entropy over the mask and whatever else may be organ, per slice, nats: the obvious baseline."""
    p = np.zeros(mask.shape, np.float32)
    p[tuple(slice(s, s + n) for s, n in zip(evidence.start_zyx, evidence.probability.shape, strict=True))] = (
        evidence.probability
    )
    p, band = p[index], mask[index] | (p[index] > MAYBE)
    q = np.clip(p, 1e-6, 1 - 1e-6)
    entropy = -(q * np.log(q) + (1 - q) * np.log(1 - q)) * band
    return entropy.sum((1, 2)) / np.maximum(band.sum((1, 2)), 1)


def _joined(tables: list[Table]) -> Table:
    names = tables[0].values
    return Table(
        np.concatenate([t.case for t in tables]),
        np.concatenate([t.bad for t in tables]),
        np.concatenate([t.judged for t in tables]),
        {n: np.concatenate([t.values[n] for t in tables]) for n in names},
        np.concatenate([t.entropy for t in tables]),
    )

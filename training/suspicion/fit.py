"""From tables of slices to what a bundle carries: signals chosen by cross-validation, weights, thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.manifest import ReviewSpec, SuspicionSpec
from TwoStageSegLib.review.wording import SIGNALS

from .logistic import Array, Organ, fit, log_loss, probability
from .slices import Table

FOLDS = 6
LEAST_GAIN = 3e-4
"""A signal must lower the cross-validated log loss by so much to be taken."""

READ_SHARE = 0.2
"""The share of slices that is flagged among the validation cases."""

TWICE = "disagreement"
"""The signal that needs a second segmentation."""


def review_specs(tables: dict[str, Table], usually: dict[str, tuple[float, float]]) -> dict[str, ReviewSpec]:
    """What each organ's bundle entry says, fitted on the judged slices of ``tables``."""
    judged = {organ: t.only(t.judged) for organ, t in tables.items()}
    quick = _models(judged, tuple(n for n in SIGNALS if n != TWICE))
    full = _models(judged, tuple(SIGNALS))
    return {
        organ: ReviewSpec(round(usually[organ][0], 2), round(usually[organ][1], 4), quick[organ], full[organ])
        for organ in tables
    }


def _models(tables: dict[str, Table], candidates: tuple[str, ...]) -> dict[str, SuspicionSpec]:
    chosen = select(tables, candidates)
    left_out = out_of_fold(tables, chosen)
    weights, offsets = fit([_organ(t, chosen) for t in tables.values()])
    found = {}
    for i, (organ, table) in enumerate(tables.items()):
        terms = {}
        for k, name in enumerate(chosen):
            centre, scale = _scaling(table.values[name])
            terms[name] = [_short(centre), _short(scale), _short(weights[i, k])]
        flag_at = float(np.clip(np.quantile(left_out[organ], 1 - READ_SHARE), 0.01, 1))
        found[organ] = SuspicionSpec(_short(offsets[i]), terms, round(flag_at, 4))
    return found


def select(tables: dict[str, Table], candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Signals taken one by one, each time the one that lowers the cross-validated log loss most."""
    chosen: tuple[str, ...] = ()
    best = np.inf
    while len(chosen) < len(candidates):
        trials = [(_loss(tables, (*chosen, name)), name) for name in candidates if name not in chosen]
        loss, name = min(trials)
        if loss > best - LEAST_GAIN:
            break
        best, chosen = loss, (*chosen, name)
    return chosen


def out_of_fold(tables: dict[str, Table], names: tuple[str, ...]) -> dict[str, Array]:
    """P(bad) of every slice from models that saw no slice of its case."""
    folds = _folds(tables)
    found = {organ: np.zeros(len(t.bad)) for organ, t in tables.items()}
    for k in range(FOLDS):
        weights, offsets = fit([_organ(t, names, folds[o] != k) for o, t in tables.items()])
        for i, (organ, table) in enumerate(tables.items()):
            left = folds[organ] == k
            found[organ][left] = probability(_organ(table, names, left).z @ weights[i] + offsets[i])
    return found


def _loss(tables: dict[str, Table], names: tuple[str, ...]) -> float:
    found = out_of_fold(tables, names)
    bad = np.concatenate([t.bad for t in tables.values()]).astype(float)
    return log_loss(np.concatenate(list(found.values())), bad)


def _folds(tables: dict[str, Table]) -> dict[str, NDArray[np.int64]]:
    """The fold of every slice; a case lies in one fold with all its organs."""
    cases = np.unique(np.concatenate([t.case for t in tables.values()]))
    order = np.random.default_rng(0).permutation(len(cases)) % FOLDS
    fold = dict(zip(cases.tolist(), order.tolist(), strict=True))
    return {organ: np.array([fold[c] for c in t.case.tolist()]) for organ, t in tables.items()}


def _organ(table: Table, names: tuple[str, ...], keep: NDArray[np.bool_] | None = None) -> Organ:
    columns = []
    for name in names:
        centre, scale = _scaling(table.values[name])
        columns.append((table.values[name] - centre) / scale)
    z = np.stack(columns, 1)
    bad = table.bad.astype(float)
    return Organ(z, bad) if keep is None else Organ(z[keep], bad[keep])


def _scaling(values: Array) -> tuple[float, float]:
    """Mean and standard deviation; 1 for a signal that never changes."""
    scale = float(values.std())
    return float(values.mean()), scale if scale > 1e-9 else 1.0


def _short(value: float) -> float:
    return float(f"{value:.6g}")

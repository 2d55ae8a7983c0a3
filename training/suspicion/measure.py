"""How well suspicion finds bad slices: review curve, its area, calibration, against two obvious baselines.

The review curve: reading the most suspicious share of an organ's slices finds such a share of its bad ones. Intervals
are bootstrapped over cases, because the slices of a case resemble each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.manifest import SuspicionSpec
from TwoStageSegLib.review.suspicion import contributions, risk

from .logistic import Array
from .slices import Table

READ = 0.2
ROUNDS = 1000
BINS = 10


@dataclass(frozen=True)
class Ranking:
    """Scores of the slices of one organ or of all, by one way of finding bad ones."""

    case: NDArray[np.str_]
    bad: NDArray[np.bool_]
    score: Array


def suspicion(table: Table, model: SuspicionSpec) -> Array:
    """P(bad) per slice; 0 where nobody looks."""
    return np.where(table.judged, risk(contributions(table.values, model), model, len(table.bad)), 0.0)


def found_by(ranking: Ranking, share: float = READ) -> float:
    """Share of the bad slices among the ``share`` with the highest scores; ties count with their mean."""
    return float(np.interp(share, *review_curve(ranking)))


def review_curve(ranking: Ranking) -> tuple[Array, Array]:
    """(share read, share of bad slices found), both from 0 to 1."""
    order = np.argsort(-ranking.score, kind="stable")
    score, bad = ranking.score[order], ranking.bad[order].astype(float)
    last = np.flatnonzero(np.append(np.diff(score) != 0, True))  # within a tie no order is better than another
    read = np.concatenate([[0.0], (last + 1) / len(score)])
    found = np.concatenate([[0.0], np.cumsum(bad)[last] / max(1.0, bad.sum())])
    return read, found


def area(ranking: Ranking) -> float:
    """Area under the review curve; 0.5 is chance, ``1 - bad share / 2`` is perfect."""
    read, found = review_curve(ranking)
    return float(np.trapezoid(found, read))


def discrimination(ranking: Ranking) -> float:
    """Area under the ROC curve: how often a bad slice has a higher score than one that is not."""
    share = float(ranking.bad.mean())
    return (area(ranking) - share / 2) / (1 - share) if 0 < share < 1 else float("nan")


def calibration_error(p: Array, bad: NDArray[np.bool_]) -> float:
    """Expected calibration error over ``BINS`` bins of equal count."""
    parts = np.array_split(np.argsort(p, kind="stable"), BINS)
    return float(sum(len(i) / len(p) * abs(p[i].mean() - bad[i].mean()) for i in parts if len(i)))


def gain(ours: Ranking, other: Ranking, seed: int = 0) -> tuple[float, float, float]:
    """(mean, 2.5th, 97.5th percentile) of how much more of the bad slices ours finds at ``READ``, over cases."""
    names = np.unique(ours.case)
    where = [np.flatnonzero(ours.case == n) for n in names]
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(ROUNDS):
        rows = np.concatenate([where[i] for i in rng.integers(len(where), size=len(where))])
        a, b = (Ranking(r.case[rows], r.bad[rows], r.score[rows]) for r in (ours, other))
        differences.append(found_by(a) - found_by(b))
    low, high = np.percentile(differences, (2.5, 97.5))
    return float(np.mean(differences)), float(low), float(high)


def most_possible(ranking: Ranking, share: float = READ) -> float:
    """What perfect knowledge would find by reading so much: there may be more bad slices than are read."""
    return min(1.0, share / max(1e-9, float(ranking.bad.mean())))

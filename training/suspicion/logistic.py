"""Logistic models of several organs that share what they can: common weights plus a deviation per organ, both ridged.

An organ has a few hundred slices from some thirty cases, and slices of one case resemble each other: organs fitted
apart overfit (measured: AUC 0.59 instead of 0.73 for the brainstem). scikit-learn has no such penalty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]

SHARED_RIDGE = 1.0
OWN_RIDGE = 30.0


@dataclass(frozen=True)
class Organ:
    """Standardised signals ``(slices, signals)`` and whether each slice is bad (0 or 1)."""

    z: Array
    bad: Array


def fit(organs: list[Organ]) -> tuple[Array, Array]:
    """(weights ``(organs, signals)``, offsets ``(organs,)``) of the smallest penalised log loss."""
    count, width = len(organs), organs[0].z.shape[1]

    def loss(b: Array) -> tuple[float, Array]:
        shared, own, offset = _split(b, count, width)
        value = SHARED_RIDGE * float(shared @ shared) / 2 + OWN_RIDGE * float((own * own).sum()) / 2
        gradient = np.concatenate([SHARED_RIDGE * shared, (OWN_RIDGE * own).ravel(), np.zeros(count)])
        g_shared, g_own, g_offset = _split(gradient, count, width)
        for i, organ in enumerate(organs):
            odds = organ.z @ (shared + own[i]) + offset[i]
            value += float(np.logaddexp(0, odds).sum() - organ.bad @ odds)
            residual = probability(odds) - organ.bad
            slope = organ.z.T @ residual
            g_shared += slope
            g_own[i] += slope
            g_offset[i] += residual.sum()
        return value, gradient

    best = minimize(loss, np.zeros(width + count * width + count), jac=True, method="L-BFGS-B").x
    shared, own, offset = _split(best, count, width)
    return shared + own, offset


def probability(odds: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(odds, -50, 50)))


def log_loss(p: Array, bad: Array) -> float:
    """Mean, nats."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return float(-np.mean(bad * np.log(p) + (1 - bad) * np.log(1 - p)))


def _split(b: Array, count: int, width: int) -> tuple[Array, Array, Array]:
    """Views into one vector: shared weights, own weights ``(count, width)``, offsets."""
    return b[:width], b[width : width + count * width].reshape(count, width), b[width + count * width :]

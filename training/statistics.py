"""Are two systems different on the same cases: paired tests, intervals, and the correction for asking often.

Every degenerate input has a stated result instead of a NaN: fewer than two pairs give no p-value (None); pairs that
are all alike give p = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

EXACT_BELOW = 25
"""McNemar's test is exact for fewer discordant pairs than this, else chi-square with continuity correction."""

RESAMPLES = 9999


@dataclass(frozen=True)
class Paired:
    """Differences ``second - first`` of ``n`` pairs: mean, its bootstrap interval, and two two-sided p-values."""

    n: int
    mean_difference: float
    interval: tuple[float, float] | None
    t_p: float | None
    wilcoxon_p: float | None


def paired(first: ArrayLike, second: ArrayLike, seed: int = 0) -> Paired:
    """All figures of one comparison; ``first`` and ``second`` in the same order of cases, at least one."""
    a, b = np.asarray(first, float), np.asarray(second, float)
    return Paired(len(a), float(np.mean(b - a)), bootstrap_interval(b - a, seed=seed), paired_t(a, b), wilcoxon(a, b))


def paired_t(first: ArrayLike, second: ArrayLike) -> float | None:
    """Two-sided p of Student's paired t-test. All differences alike: p = 1 if they are zero, else 0."""
    from scipy import stats

    difference = np.asarray(second, float) - np.asarray(first, float)
    if len(difference) < 2:
        return None
    if np.ptp(difference) <= 1e-12:
        return 1.0 if abs(float(difference[0])) <= 1e-12 else 0.0
    return float(stats.ttest_1samp(difference, 0.0).pvalue)


def independent_t(first: ArrayLike, second: ArrayLike) -> float | None:
    """Two-sided p of Student's t-test of two independent samples (papers/002, over runs); None for fewer than two."""
    from scipy import stats

    a, b = np.asarray(first, float), np.asarray(second, float)
    if min(len(a), len(b)) < 2:
        return None
    if a.std() == b.std() == 0:
        return 1.0 if a[0] == b[0] else 0.0
    return float(stats.ttest_ind(a, b).pvalue)


def wilcoxon(first: ArrayLike, second: ArrayLike) -> float | None:
    """Two-sided p of Wilcoxon's signed-rank test; pairs without a difference are left out, and p = 1 if none is left.

    Exact without ties up to scipy's limit, else the normal approximation.
    """
    from scipy import stats

    difference = np.round(np.asarray(second, float) - np.asarray(first, float), 9)  # 0.8 - 0.7 ties with 0.3 - 0.2
    if len(difference) < 2:
        return None
    difference = difference[difference != 0]
    return 1.0 if len(difference) == 0 else float(stats.wilcoxon(difference).pvalue)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of McNemar's test for paired yes/no: how often only the first, and only the second, says yes.

    Exact (binomial) for small counts, else chi-square with Edwards' continuity correction.
    """
    from scipy import stats

    total = only_first + only_second
    if total == 0:
        return 1.0
    if total < EXACT_BELOW:
        return float(stats.binomtest(only_first, total, 0.5).pvalue)
    return float(stats.chi2.sf(max(abs(only_first - only_second) - 1, 0) ** 2 / total, 1))


def bootstrap_interval(values: ArrayLike, level: float = 0.95, seed: int = 0) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean over cases, seeded; None with fewer than two values."""
    from scipy import stats

    x = np.asarray(values, float)
    if len(x) < 2:
        return None
    found = stats.bootstrap(
        (x,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction of one family of p-values, in the given order; None is not part of the family."""
    asked = sorted((p, i) for i, p in enumerate(p_values) if p is not None and not math.isnan(p))
    out: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(asked):
        highest = max(highest, min(1.0, p * (len(asked) - rank)))
        out[i] = highest
    return out

"""Golden values on paper: closed forms and counted arrangements, no statistics library."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.statistics import bootstrap_interval, holm, mcnemar, paired, paired_t, wilcoxon


def test_paired_t_in_closed_form():
    # differences 1 2 2 5: mean 2.5, variance 3, t = 2.5 / (sqrt(3) / 2), 3 degrees of freedom; with u = t / sqrt(3) =
    # 5/3 the two-sided p is 1 - 2/pi (u / (1 + u^2) + atan u)
    u = 5 / 3
    expected = 1 - 2 / math.pi * (u / (1 + u**2) + math.atan(u))
    assert paired_t([1, 2, 3, 4], [2, 4, 5, 9]) == pytest.approx(expected)
    assert paired_t([2, 4, 5, 9], [1, 2, 3, 4]) == pytest.approx(expected)
    assert expected == pytest.approx(0.0632, abs=1e-4)


def test_paired_t_has_a_stated_result_where_there_is_no_spread():
    assert paired_t([0.5], [0.7]) is None
    assert paired_t([0.1, 0.2], [0.1, 0.2]) == 1.0
    assert paired_t([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]) == 0.0  # alike but for the last bit


def test_wilcoxon_by_counting_signs():
    # five differences of one sign: 1 of 32 arrangements at either end
    assert wilcoxon([0, 0, 0, 0, 0], [1, 2, 3, 4, 5]) == pytest.approx(2 / 32)
    # ranks 1 (negative) 2 3 4: sums of negative ranks up to 1 are {} and {1}, 2 of 16, both ends
    assert wilcoxon([1, 0, 0, 0], [0, 2, 3, 4]) == pytest.approx(4 / 16)
    # a pair without a difference is left out
    assert wilcoxon([0, 0, 0, 0, 0, 7], [1, 2, 3, 4, 5, 7]) == pytest.approx(2 / 32)


def test_wilcoxon_has_a_stated_result_where_nothing_differs():
    assert wilcoxon([0.3], [0.4]) is None
    assert wilcoxon([0.3, 0.4], [0.3, 0.4]) == 1.0


def test_mcnemar_exact_and_large():
    # 1 against 7: 2 x (1 + 8) / 2^8
    assert mcnemar(1, 7) == mcnemar(7, 1) == pytest.approx(18 / 256)
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(4, 4) == 1.0 and mcnemar(0, 0) == 1.0
    # 10 against 30: chi-square (20 - 1)^2 / 40 with one degree of freedom, p = erfc(sqrt(chi / 2))
    assert mcnemar(10, 30) == pytest.approx(math.erfc(math.sqrt(19**2 / 40 / 2)))
    assert mcnemar(20, 20) == 1.0


def test_holm_by_hand():
    # sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 (but never below the one before)
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, None, 0.4]) == [0.8, None, 0.8]  # two were asked
    assert holm([0.9, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_bootstrap_interval():
    # of two cases, a quarter of the resamples holds only the first, a quarter only the second
    assert bootstrap_interval([0.0, 1.0]) == (0.0, 1.0)
    assert bootstrap_interval([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3))
    assert bootstrap_interval([0.3]) is None
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    low, high = bootstrap_interval(x) or (0, 0)
    half = 1.96 * x.std() / math.sqrt(200)
    assert (low, high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.1 * half)
    assert bootstrap_interval(x) == (low, high) != bootstrap_interval(x, seed=1)


def test_paired_puts_them_together():
    found = paired([0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert (found.n, found.mean_difference) == (5, pytest.approx(0.3))
    assert found.interval is not None and found.interval[0] < 0.3 < found.interval[1]
    assert found.wilcoxon_p == pytest.approx(2 / 32)
    # mean 0.3, variance 0.025: t = 0.3 / sqrt(0.025 / 5) = sqrt(18); 4 degrees of freedom, in closed form
    s = math.sqrt(18 / (18 + 4))
    assert found.t_p == pytest.approx(1 - 1.5 * s + 0.5 * s**3)

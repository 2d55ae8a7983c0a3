"""Fitting and measuring the suspicion, on slices whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.suspicion.fit import out_of_fold, review_specs, select
from training.suspicion.logistic import Organ, fit, log_loss, probability
from training.suspicion.measure import (
    Ranking,
    area,
    calibration_error,
    discrimination,
    found_by,
    gain,
    most_possible,
    review_curve,
    suspicion,
)
from training.suspicion.slices import Table


def ranking(bad: list[int], score: list[float]) -> Ranking:
    return Ranking(np.array(["a"] * len(bad)), np.array(bad, bool), np.array(score, float))


def test_review_curve_by_hand() -> None:
    r = ranking([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.2, 0.1])
    read, found = review_curve(r)
    assert read.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found.tolist() == pytest.approx([0, 0.5, 0.5, 1, 1, 1])
    assert found_by(r, 0.2) == pytest.approx(0.5)
    assert found_by(r, 0.5) == pytest.approx(0.75)
    # trapezoids of 0.2: (0 + .5)/2 + .5 + (.5 + 1)/2 + 1 + 1
    assert area(r) == pytest.approx(0.2 * (0.25 + 0.5 + 0.75 + 1 + 1))
    # bad against good pairs: 0.9 beats 3, 0.7 beats 2 of 3
    assert discrimination(r) == pytest.approx(5 / 6)
    assert most_possible(r, 0.2) == pytest.approx(0.5)


def test_equal_scores_are_chance() -> None:
    r = ranking([1, 0, 0, 1, 0, 0, 0, 0, 0, 0], [0.5] * 10)
    assert found_by(r, 0.2) == pytest.approx(0.2)
    assert area(r) == pytest.approx(0.5)
    assert discrimination(r) == pytest.approx(0.5)


def test_nobody_looked_counts_as_last() -> None:
    table = Table(
        np.array(["a"] * 3),
        np.array([True, False, True]),
        np.array([True, True, False]),
        {"area": np.array([1.0, 0.0, 9.0])},
        np.zeros(3),
    )
    from TwoStageSegLib.manifest import SuspicionSpec

    p = suspicion(table, SuspicionSpec(0.0, {"area": [0.0, 1.0, 1.0]}, 0.5))
    assert p.tolist() == pytest.approx([1 / (1 + np.exp(-1)), 0.5, 0.0])


def test_calibration_error_by_hand() -> None:
    p = np.repeat([0.1, 0.9], 50)
    bad = np.concatenate([np.arange(50) < 5, np.arange(50) < 30])
    assert calibration_error(p, bad) == pytest.approx((0.0 + 0.3) / 2, abs=0.16)
    assert calibration_error(np.full(100, 0.35), bad) == pytest.approx(
        np.mean([abs(0.35 - b.mean()) for b in np.array_split(bad, 10)])
    )


def test_gain_is_resampled_over_cases() -> None:
    rng = np.random.default_rng(0)
    case = np.repeat([f"c{i}" for i in range(20)], 30)
    bad = rng.random(600) < 0.2
    ours = Ranking(case, bad, bad + rng.normal(0, 0.3, 600))
    other = Ranking(case, bad, rng.random(600))
    mean, low, high = gain(ours, other)
    assert 0 < low < mean < high
    assert gain(ours, ours) == (0.0, 0.0, 0.0)
    assert gain(ours, other) == (mean, low, high)  # seeded


def planted(organs: int = 3, slices: int = 900) -> dict[str, Table]:
    """Bad with odds 1.5 * area_step - 1; ``softness`` says nothing."""
    tables = {}
    for i in range(organs):
        rng = np.random.default_rng(i)
        step, soft = rng.normal(0.4, 2.0, slices), rng.normal(5, 3, slices)
        bad = rng.random(slices) < 1 / (1 + np.exp(1 - 0.75 * (step - 0.4)))
        case = np.array([f"case{k}" for k in np.arange(slices) // 30])
        values = {"area_step": step, "softness": soft}
        tables[f"organ{i}"] = Table(case, bad, np.ones(slices, bool), values, np.zeros(slices))
    return tables


def test_the_fit_finds_planted_weights() -> None:
    organs = []
    for t in planted().values():
        z = (t.values["area_step"] - 0.4) / 2.0
        organs.append(Organ(z[:, None], t.bad.astype(float)))
    weights, offsets = fit(organs)
    assert weights[:, 0] == pytest.approx([1.5] * 3, abs=0.2)
    assert offsets == pytest.approx([-1.0] * 3, abs=0.2)


def test_organs_with_few_slices_lean_on_the_others() -> None:
    tables = planted()
    small = tables["organ0"].only(np.arange(900) < 12)
    alone, _ = fit([Organ(small.values["area_step"][:, None] / 2, small.bad.astype(float))])
    others = [Organ(t.values["area_step"][:, None] / 2, t.bad.astype(float)) for t in list(tables.values())[1:]]
    leaning, _ = fit([Organ(small.values["area_step"][:, None] / 2, small.bad.astype(float)), *others])
    assert abs(leaning[0, 0] - 1.5) < abs(alone[0, 0] - 1.5)


def test_a_signal_that_says_nothing_is_not_taken() -> None:
    assert select(planted(), ("softness", "area_step")) == ("area_step",)


def test_left_out_cases_are_predicted_by_the_others() -> None:
    tables = planted()
    found = out_of_fold(tables, ("area_step",))
    p = np.concatenate(list(found.values()))
    bad = np.concatenate([t.bad for t in tables.values()])
    assert calibration_error(p, bad) < 0.04
    assert log_loss(p, bad.astype(float)) < log_loss(np.full(len(bad), bad.mean()), bad.astype(float)) - 0.05


def test_a_bundle_entry_flags_a_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.suspicion import fit as module

    monkeypatch.setattr(module, "SIGNALS", {"area_step": ("", ""), "softness": ("", "")})
    tables = planted()
    specs = review_specs(tables, dict.fromkeys(tables, (12.345, 3.0)))
    for organ, spec in specs.items():
        assert spec.density_hu == 12.35 or spec.density_hu == 12.34
        assert list(spec.full.terms) == ["area_step"]
        p = suspicion(tables[organ], spec.full)
        assert (p >= spec.full.flag_at).mean() == pytest.approx(0.2, abs=0.02)


def test_log_loss_by_hand() -> None:
    assert log_loss(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == pytest.approx(np.log(2))
    assert probability(np.array([0.0, 1000.0])).tolist() == pytest.approx([0.5, 1.0])

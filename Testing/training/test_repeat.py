"""The repeated experiment of papers/002: pairing, convergence, Dice pooled over voxels, both tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from Testing.harness.tiny_recipe import TINY
from training.data.prepared import load_cases
from training.fit import FitOptions
from training.measure import SLICES
from training.recipes.common import Budget
from training.recipes.recipe import as_published
from training.repeat import Run, pooled_dice, repeat, report
from training.sources import PHANTOM
from training.train import load
from TwoStageSegLib.metrics import SliceAgreement


def slice_of(mask: int, reference: int, shared: int) -> SliceAgreement:
    return SliceAgreement(0, mask, reference, shared)


def test_pooled_dice_is_that_of_all_voxels_together() -> None:
    """Cases of Dice 2*10/20 = 1 and 2*0/180 = 0: the mean is 0.5, pooled 2*10/200 = 0.1."""
    rows = [{SLICES: (slice_of(10, 10, 10),)}, {SLICES: (slice_of(90, 60, 0), slice_of(0, 30, 0))}]
    assert pooled_dice(rows) == pytest.approx(0.1)


def run_of(seed: int, baseline: float, two: float, converged: bool = True) -> Run:
    figures = {"baseline": {"A": baseline}, "two stages": {"A": two}, "true box": {"A": two}}
    cases = {way: {"A": {"x": d["A"], "y": d["A"] + 0.01 * seed}} for way, d in figures.items()}
    return Run(seed, {"locate": True, "segment": converged}, {"locate": 1.0, "segment": 2.0}, figures, figures, cases)


def test_the_page_counts_convergence_and_leaves_the_others_out() -> None:
    runs = [run_of(0, 0.4, 0.6), run_of(1, 0.5, 0.7), run_of(2, 0.0, 0.0, converged=False)]
    text = report(runs, "Tiny")
    assert "| segment | 2/3 | 2.0 |" in text and "Over the 3 runs that gave a bundle" in text
    everything, text = text.split("Over the 2 runs in which all converged")
    assert "| A | 0.300 ± 0.265 | 0.433 ± 0.379 | 0.433 ± 0.379 |" in everything
    # means 0.45 and 0.65, both with a sample deviation of 0.0707; t = 0.2 / 0.0707 = 2.83 with 2 degrees: p = 0.106
    assert "| A | 0.450 ± 0.071 | 0.650 ± 0.071 | 0.650 ± 0.071 | 0.106 | 0.106 |" in text


def test_too_few_runs_are_not_compared() -> None:
    assert "Too few to compare." in report([run_of(0, 0.4, 0.6)], "Tiny")


@pytest.mark.slow
@pytest.mark.usefixtures("located_anywhere")
def test_runs_differ_by_their_weights_and_are_not_done_twice(prepared: Path, tmp_path: Path) -> None:
    names = ("locate", "segment", "baseline")
    recipe = replace(TINY, budgets=tuple(Budget(n, 2, decay_steps=1, every=2) for n in names))
    recipe = replace(recipe, baseline_shape=(16, 16, 16))
    cases, test = load(recipe, prepared), load_cases(prepared, "validation")
    options = FitOptions(half=False)
    runs = list(repeat(recipe, PHANTOM, cases, test, tmp_path, options, 2))
    assert [r.seed for r in runs] == [0, 1] and set(runs[0].converged) == set(names)
    weights = [(tmp_path / s / "segment" / "final.safetensors").read_bytes() for s in "01"]
    assert weights[0] != weights[1]
    assert list(repeat(recipe, PHANTOM, cases, test, tmp_path, options, 2)) == runs
    assert report(runs, "Tiny").startswith("# Tiny\n\n2 runs")


def test_as_published_has_the_networks_of_002s_code(prepared: Path, tmp_path: Path) -> None:
    from training.methods import method

    recipe = as_published(TINY)
    network = method(recipe.system).task("segment", recipe, *load(recipe, prepared), tmp_path).network()
    assert recipe.segment_widths == (16, 16)  # constant
    assert network.merge[0][0].weight.shape[1] == 16  # no skip: what comes up alone, not twice as much
    assert type(network.down[0][1]).__name__ == "ReLU"  # before the norm
    assert method(recipe.system).parts(recipe, tmp_path).networks["segment"].arguments["skips"] is False

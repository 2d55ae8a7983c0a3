"""From prepared cases to a running bundle: what both networks learned by heart, the engine finds and draws again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.data.prepared import Case, load_cases
from training.export import export
from training.fit import FitOptions, fit
from training.methods import method
from training.methods.slice_filter.bundle import EVERY_SLICE
from training.methods.slice_filter.recipe import SliceFilterRecipe
from training.reference import mask_of, volume_of
from training.sources import PHANTOM
from TwoStageSegLib.device import Device
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import Model
from TwoStageSegLib.region import Status
from TwoStageSegLib.systems import create

ORGAN = "Brainstem"


def trained(recipe: SliceFilterRecipe, cases: list[Case], run: Path, steps: dict[str, int]) -> dict[str, float]:
    """Both networks fitted on ``cases`` and scored on the same."""
    scores = {}
    for name, count in steps.items():
        options = FitOptions(
            steps=count, decay_steps=count // 2, warmup=5, lr=3e-3, ema=0.9, every=max(1, count // 4), half=False
        )
        scores[name] = fit(method(recipe.system).task(name, recipe, cases, cases, run), run / name, options, True).best
    return scores


def found(model: Model, case: Case) -> tuple[float, list[int], Status]:
    """(Dice, slices drawn, status) of the running bundle."""
    system, volume = create(model, Device("cpu", "CPU", half=False)), volume_of(case)
    region = system.locate(volume, [ORGAN])[ORGAN]
    mask = system.segment(volume, region)
    drawn = np.flatnonzero(mask.full().any((1, 2))).tolist()
    return dice(mask.full(), mask_of(case, ORGAN, volume).full()), drawn, region.status


def test_two_steps_make_a_bundle_that_runs(prepared, tiny, tmp_path):
    """Untrained networks find nothing sensible, but every part of the way from prepared cases to a bundle is there."""
    cases = load_cases(prepared, "validation")
    recipe = replace(tiny, filtered=False)
    trained(recipe, cases, tmp_path / "run", {"locate": 2, "segment": 2})
    model = export(recipe, PHANTOM, tmp_path / "run", tmp_path / "bundle", cases, "0.0.1")
    assert model.manifest.system == "slice-filter" and model.manifest.parameters["slice_threshold"] == EVERY_SLICE
    assert "SANet" in (model.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    _, _, status = found(model, cases[0])
    assert status == Status.LOCATED  # a bundle that does not filter finds the whole body


def test_batches_are_the_same_for_the_same_seed(prepared, tiny, tmp_path):
    cases = load_cases(prepared, "train") + load_cases(prepared, "validation")
    recipe = replace(tiny, mirror=True, flip=0.5, salt=0.5, erase=0.5, surroundings=True)
    for name in ("locate", "segment"):
        task = method("slice-filter").task(name, recipe, cases, cases, tmp_path)
        one, same, other = (task.batch(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert one["image"].shape == (8, 1, *(2 * (32 if name == "locate" else 64,)))
        assert all(bool((one[k] == same[k]).all()) for k in one)
        assert not bool((one["image"] == other["image"]).all())
        # half of an epoch's slices show the organ, and only in those is anything of it
        assert not one["organ"][one["shows"] == 0].any() and one["organ"][one["shows"] == 1].any()


@pytest.mark.slow
def test_what_was_learned_by_heart_is_found_and_drawn(prepared, tiny, tmp_path):
    cases = load_cases(prepared, "validation")
    run, tiny = tmp_path / "run", replace(tiny, locate_batch=16)
    scores = trained(tiny, cases, run, {"locate": 60, "segment": 100})
    assert scores["locate"] == 1.0 and scores["segment"] > 0.95
    model = export(tiny, PHANTOM, run, tmp_path / "bundle", cases, "0.0.1")
    overlap, drawn, status = found(model, cases[0])
    assert status == Status.LOCATED and drawn == list(range(16, 24)) and overlap > 0.95

    alone = export(replace(tiny, filtered=False), PHANTOM, run, tmp_path / "alone", cases, "0.0.1")
    everywhere, more, _ = found(alone, cases[0])
    assert set(drawn) <= set(more) and everywhere <= overlap + 1e-9

"""Interrupted training goes on as if nothing had happened; a network can learn one case by heart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from Testing.harness.tiny_recipe import TINY
from training.data.prepared import load_cases
from training.export import budget
from training.fit import FitOptions, _update, fit, learning_rate
from training.recipes.recipe import Target
from training.tasks.locate import LocateTask
from training.tasks.segment import SegmentTask

ONE_ORGAN = replace(TINY, targets=(Target("Brainstem", "Brainstem", (16, 16, 16), 1.0),))


def tiny_task(prepared: Path) -> SegmentTask:
    return SegmentTask(ONE_ORGAN, load_cases(prepared, "train"), load_cases(prepared, "validation"))


def test_resume_gives_the_same_weights_and_losses(prepared: Path, tmp_path: Path) -> None:
    options = FitOptions(steps=8, decay_steps=4, warmup=2, every=2, half=False)
    whole = fit(tiny_task(prepared), tmp_path / "whole", options, quiet=True)
    # interrupted after the checkpoint at step 4: the process would die here
    fit(tiny_task(prepared), tmp_path / "parts", replace(options, steps=4, decay_steps=0), quiet=True)
    # decay_steps=0 keeps the rate of the first half equal to that of the whole run at steps 0..3
    resumed = fit(tiny_task(prepared), tmp_path / "parts", options, quiet=True)
    assert [h["loss"] for h in resumed.history] == pytest.approx([h["loss"] for h in whole.history], rel=1e-6)
    a, b = (load_file(tmp_path / p / "final.safetensors") for p in ("whole", "parts"))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_what_it_ran_on_is_kept_for_the_model_card(prepared: Path, tmp_path: Path) -> None:
    options = FitOptions(steps=2, decay_steps=1, warmup=1, every=2, half=False)
    before = torch.get_num_threads()
    for threads, where in ((2, "2 CPU cores"), (1, "one CPU core")):
        torch.set_num_threads(threads)
        fit(tiny_task(prepared), tmp_path / str(threads), options, quiet=True)
        (tmp_path / str(threads)).rename(tmp_path / "segment")
        assert budget(tmp_path, ["segment"]).endswith(f"min on {where}")
        (tmp_path / "segment").rename(tmp_path / f"done{threads}")
    torch.set_num_threads(before)


def test_averaging_takes_running_statistics_along() -> None:
    """Else a network with batch normalisation would be exported with those of an untrained one: mean 0, variance 1."""
    network, average = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    network.running_mean.fill_(4.0)
    network.num_batches_tracked.fill_(7)
    _update(average, network, 0.75)
    assert float(average.running_mean) == 1.0
    assert int(average.num_batches_tracked) == 7


def test_learning_rate_schedule() -> None:
    options = FitOptions(steps=100, decay_steps=20, warmup=10, lr=1.0)
    assert learning_rate(0, options) == pytest.approx(0.1)
    assert learning_rate(50, options) == 1.0
    assert learning_rate(90, options) == pytest.approx(0.5)


def test_early_stopping_looks_at_validation_only(prepared: Path, tmp_path: Path) -> None:
    options = FitOptions(steps=40, decay_steps=1, warmup=1, every=2, patience=2, lr=0.0, half=False)
    state = fit(tiny_task(prepared), tmp_path, options, quiet=True)
    assert state.step == 6  # best at step 2 (nothing ever improves), then two more validations
    assert fit(tiny_task(prepared), tmp_path, options, quiet=True).step == 6  # resumed: it had stopped


@pytest.mark.slow
def test_segmenter_overfits_one_case(prepared: Path, tmp_path: Path) -> None:
    case = load_cases(prepared, "validation")
    task = SegmentTask(ONE_ORGAN, case, case)
    state = fit(
        task, tmp_path, FitOptions(steps=150, decay_steps=75, warmup=10, every=150, lr=3e-3, ema=0.9), quiet=True
    )
    assert state.best > 0.95


def test_locator_batch_has_every_organ_channel(prepared: Path) -> None:
    cases = load_cases(prepared, "train")
    batch = LocateTask(ONE_ORGAN, cases, cases).batch(np.random.default_rng(0))
    assert batch["image"].shape == (2, 1, 16, 16, 16)
    assert batch["labels"].shape == (2, 7, 16, 16, 16)
    assert batch["known"].shape == (2, 7)

"""Interrupted training goes on as if nothing had happened; a network can learn one case by heart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from Testing.harness.tiny_recipe import TINY
from training.data.prepared import load_cases
from training.export import budget
from training.fit import FitOptions, _update, fit, learning_rate
from training.recipes.recipe import Target
from training.tasks.base import Turn
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


class Chased(nn.Module):
    """Two numbers, each stepped by its own turn."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.tensor(0.0)), nn.Parameter(torch.tensor(0.0))


class TwoTurns:
    """The first number goes to 1; the second to where the first is now. Neither loss may move the other number."""

    name = "two"

    def network(self) -> nn.Module:
        return Chased()

    def batch(self, rng: np.random.Generator) -> dict[str, Tensor]:
        return {"target": torch.ones(())}

    def loss(self, network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        raise AssertionError("a task with turns has no loss of its own")

    def turns(self, network: nn.Module) -> list[Turn]:
        def first(n: nn.Module, batch: dict[str, Tensor]) -> Tensor:
            # depends on the second number as well, which this turn must not step
            return (n.first - batch["target"]) ** 2 + (n.first - n.second) ** 2 * 0

        def second(n: nn.Module, batch: dict[str, Tensor]) -> Tensor:
            return (n.second - n.first) ** 2 + 5

        return [Turn([network.first], first), Turn([network.second], second)]

    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        return {"score": float(network.second.detach())}


def test_turns_step_their_own_parameters_and_resume(tmp_path: Path) -> None:
    options = FitOptions(steps=60, decay_steps=1, warmup=1, every=30, lr=0.1, weight_decay=0.0, ema=0.0, half=False)
    state = fit(TwoTurns(), tmp_path / "whole", options, quiet=True)
    found = load_file(tmp_path / "whole" / "final.safetensors")
    assert float(found["first"]) == pytest.approx(1, abs=0.1) and float(found["second"]) == pytest.approx(1, abs=0.2)
    assert state.history[0]["loss"] < 1  # the first turn's: the second's is never below 5
    fit(TwoTurns(), tmp_path / "parts", replace(options, steps=30, decay_steps=0), quiet=True)
    fit(TwoTurns(), tmp_path / "parts", options, quiet=True)
    again = load_file(tmp_path / "parts" / "final.safetensors")
    assert all(torch.equal(found[k], again[k]) for k in found)  # both optimisers remembered their moments


def test_warm_restarts_go_back_to_the_full_rate() -> None:
    options = FitOptions(steps=70, restarts=20, warmup=1, lr=0.5)
    rates = [learning_rate(step, options) for step in range(70)]
    assert rates[0] == rates[20] == rates[60] == 0.5  # cycles of 20, 40, 80 steps (papers/001)
    assert rates[10] == rates[40] == pytest.approx(0.25) and rates[19] < 0.005 and rates[59] < 0.002

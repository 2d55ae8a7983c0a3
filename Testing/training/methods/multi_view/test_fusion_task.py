"""The fusion learns which view to trust, from cases that the views have not seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.methods.multi_view import fusion_task
from training.methods.multi_view.bundle import view_weights
from training.methods.multi_view.coarse import coarse
from training.methods.multi_view.fusion_task import FusionTask, frozen_views, split, votes
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems.multi_view import MultiView
from TwoStageSegLib.systems.views import fused


def test_the_split_is_the_same_in_every_run_and_without_overlap(cases):
    many = [replace(cases[0][0], name=f"case_{i}") for i in range(20)]
    seen, held = split(many, 0.15)
    assert len(held) == 3 and len(seen) == 17
    assert {c.name for c in seen} | {c.name for c in held} == {c.name for c in many}
    assert [c.name for c in split(many[::-1], 0.15)[1]] == [c.name for c in held][::-1]
    assert split(many[:2], 0.15) == (many[:2], many[:2])  # too few to hold any out


def trusted(labels: torch.Tensor, good: dict[int, int], outputs: int = 4) -> torch.Tensor:
    """Votes ``(views, outputs, ...)``: noise, but the view ``good[class]`` knows where the class is."""
    truth = torch.nn.functional.one_hot(labels, outputs).movedim(-1, 0).float() * 12 - 6
    noise = torch.randn(3, *truth.shape, generator=torch.Generator().manual_seed(1)) * 3
    for output, view in good.items():
        noise[view, output] = truth[output]
    return noise


def test_each_class_comes_to_trust_the_view_that_knows_it(monkeypatch, recipe, cases):
    good = {0: 0, 1: 0, 2: 1, 3: 2}
    monkeypatch.setattr(fusion_task, "frozen_views", lambda *_: {})
    monkeypatch.setattr(fusion_task, "votes", lambda views, case: trusted(case.labels, good))
    task = FusionTask(recipe, cases[0], cases[1], Path("none"))
    assert len(task.voxels) == 1  # a third of three cases
    network = task.network()
    before = task.validate(network, torch.device("cpu"))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
    for step in range(60):
        loss = task.loss(network, task.batch(np.random.default_rng(step)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    weights = network.weights
    for output, view in good.items():
        assert int(weights[:, output].argmax()) == view and float(weights[view, output].detach()) > 0.6
    after = task.validate(network, torch.device("cpu"))
    assert before["score"] < after["score"] and after["score"] > 0.95


def test_votes_are_those_of_the_running_system(views_run, views_bundle, recipe, cases):
    """The same weights, the same image: only the bundle's half precision lies between them."""
    system = MultiView(load_model(views_bundle), Device("cpu", "CPU", half=False))
    case = coarse(cases[1][0], recipe)
    assert case is not None
    answers = votes(frozen_views(recipe, views_run), case)
    for view in range(3):
        alone = np.zeros((3, 4), np.float32)
        alone[view] = 1
        got = answers[view].softmax(0).numpy()
        assert np.abs(got - fused(case.image, system.views, alone)).max() < 0.03  # bf16


def test_without_views_the_fusion_says_what_to_train_first(recipe, cases, tmp_path):
    with pytest.raises(UsageError, match="axial"):
        FusionTask(recipe, cases[0], cases[1], tmp_path)


def test_weights_in_the_manifest_sum_to_one_over_the_views():
    scores = torch.randn(3, 8, generator=torch.Generator().manual_seed(0)) * 3
    weights = view_weights({"scores": scores})
    assert list(weights) == ["axial", "coronal", "sagittal"]
    assert np.allclose(np.sum(list(weights.values()), 0), 1, atol=1e-4)
    assert weights["coronal"] == pytest.approx(scores.softmax(0)[1].tolist(), abs=1e-5)

"""The small organs' networks: what they get is what the engine gives them, and who is stepped in whose turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training.export import export
from training.fit import FitOptions, fit
from training.methods.focus import METHOD
from training.methods.focus.chunks import Chunks
from training.methods.focus.heat import heat_loss
from training.methods.focus.rois import Seen, located_regions, regions
from training.methods.focus.small import SmallTask
from training.reference import volume_of
from training.sources import PHANTOM
from training.tasks.base import stack
from TwoStageSegLib.device import Device
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems import create

CPU = Device("cpu", "CPU", half=False)
ONE_CHUNK = 40  # slices: the whole grid of the box cases, so that all features are of one chunk


class Kept:
    """A network of the engine that remembers what it was given."""

    def __init__(self, runner):
        self.runner, self.spec, self.network, self.given = runner, runner.spec, runner.network, []

    def __call__(self, batch, exact=False):
        self.given.append(batch)
        return self.runner(batch, exact)


@pytest.fixture
def wide(recipe):
    return replace(recipe, chunk_slices=ONE_CHUNK, chunk_stride=20)


@pytest.fixture
def uncalibrated(monkeypatch):
    """Networks of two steps find nothing that could be measured."""
    monkeypatch.setattr("training.methods.focus.bundle.calibrate", lambda model, *_, **__: model.manifest.organs)


def seen_by_training(task, image) -> Seen:
    with torch.no_grad():
        return task._seen(image)


def test_small_networks_get_what_the_engine_gives_them(
    wide, cases, focus_run: Path, tmp_path: Path, uncalibrated
) -> None:
    """Around SOL-Net's peak, and around a click."""
    case = cases[1][0]
    for name in ("main", "heat", "small"):  # not ``together``: its S-Net is not the one that ``small`` has
        (tmp_path / "run" / name).mkdir(parents=True)
        (tmp_path / "run" / name / "best.safetensors").symlink_to(focus_run / name / "best.safetensors")
    model = export(wide, PHANTOM, tmp_path / "run", tmp_path / "tiny-focus", [], "1.0.0")
    system, volume = create(model, CPU), volume_of(case)
    system.segmenters = {role: Kept(runner) for role, runner in system.segmenters.items()}
    task = SmallTask(wide, *cases, focus_run)
    batch = stack([task.validation.plain(case, 0)])
    seen = seen_by_training(task, batch["image"])
    click = volume.geometry.index_to_lps(case.centre_index("Parotid_R") + np.array([0.3, -0.4, 0.2]))
    for number, organ in enumerate(wide.small):
        system.segment(volume, system.locate(volume, [organ])[organ])
        given = system.segmenters[f"small-{organ.lower().replace('_', '-')}"].given[-1]
        ours = located_regions(wide, batch, seen, number).inputs.numpy()
        assert given == pytest.approx(ours, rel=2e-3, abs=2e-2)  # weights and features in half precision
    system.segment(volume, Region.click("Parotid_R", click))
    batch["jitter"] = torch.tensor([[[0.3, -0.4, 0.2], [0, 0, 0]]]) * torch.tensor(wide.spacing)
    ours = regions(replace(wide, lost_mm=-1.0), batch, seen, 0).inputs.numpy()
    assert system.segmenters["small-parotid-r"].given[-1] == pytest.approx(ours, rel=2e-3, abs=2e-2)


def test_an_empty_heatmap_costs_one(recipe, cases) -> None:
    batch = stack([Chunks(recipe, cases[1]).plain(cases[1][0], 5)])
    assert batch["located"].all()
    assert float(heat_loss(torch.full(batch["heat"].shape, -30.0), batch, recipe)) == pytest.approx(1.0, rel=0.02)
    exact = torch.logit(batch["heat"].clamp(1e-6, 1 - 1e-6))
    assert float(heat_loss(exact, batch, recipe)) == pytest.approx(0.0, abs=1e-4)


def stepped(task, network, number: int) -> tuple[set[str], set[str]]:
    """Roles whose weights, and whose batch statistics, change in the turns up to ``number``."""
    before = {k: v.clone() for k, v in network.state_dict().items()}
    batch = task.batch(np.random.default_rng(0))
    for turn in task.turns(network)[:number]:
        optimiser = torch.optim.SGD(turn.parameters, lr=0.1)
        network.train()
        network.zero_grad()
        turn.loss(network, batch).backward()
        optimiser.step()
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    statistics = {k for k in changed if "running" in k}
    return {k.split(".")[0] for k in changed - statistics if "num_batches" not in k}, {
        k.split(".")[0] for k in statistics
    }


SMALL = {"small-parotid-r", "small-parotid-l"}


def test_segmenters_and_autoencoder_take_turns(recipe, cases, focus_run) -> None:
    task = SmallTask(recipe, *cases, focus_run)
    assert stepped(task, task.network(), 1)[0] == SMALL
    assert stepped(task, task.network(), 2)[0] == {*SMALL, "shapes"}


def test_a_plain_autoencoder_stays_and_version_one_has_none(recipe, cases, focus_run) -> None:
    plain = SmallTask(replace(recipe, shapes="plain"), *cases, focus_run)
    assert stepped(plain, plain.network(), 9) == (SMALL, SMALL)
    alone = SmallTask(replace(recipe, shapes="none"), *cases, focus_run)
    assert set(alone.network()) == SMALL
    assert stepped(alone, alone.network(), 9)[0] == SMALL


def test_the_shape_constraint_adds_to_the_loss(recipe, cases, focus_run) -> None:
    """Equation 7: the same segmenters, with and without."""
    torch.manual_seed(0)
    task = SmallTask(recipe, *cases, focus_run)
    network, batch = task.network().eval(), task.batch(np.random.default_rng(0))
    with_shapes = task.loss(network, dict(batch)).item()
    task.recipe = replace(recipe, shapes="none")
    assert with_shapes > task.loss(network, dict(batch)).item() > 0


def test_joint_steps_reach_s_net_and_leave_its_statistics(recipe, cases, focus_run) -> None:
    task = METHOD.task("together", recipe, *cases, focus_run)
    weights, statistics = stepped(task, task.network(), 1)
    assert weights == {"segment", "locate", *SMALL}
    assert statistics == {*SMALL, "shapes"}


def test_a_batch_without_a_whole_organ_is_no_mishap(recipe, cases, focus_run) -> None:
    task = SmallTask(recipe, *cases, focus_run)
    network, batch = task.network(), task.batch(np.random.default_rng(0))
    batch["whole"][:] = False
    for turn in task.turns(network):
        loss = turn.loss(network, batch)
        loss.backward()
        assert loss.item() == 0


def test_the_raw_variant_sees_the_scan_alone(recipe, cases, focus_run, tmp_path) -> None:
    raw = replace(recipe, concat=False)
    task = SmallTask(raw, *cases, focus_run)
    batch = task.batch(np.random.default_rng(0))
    found = regions(raw, batch, seen_by_training(task, batch["image"]), int(batch["whole"][0].int().argmax()))
    assert found.inputs.shape[1:] == (1, *raw.roi)
    state = fit(task, tmp_path, FitOptions(steps=1, decay_steps=1, every=1, half=False), quiet=True)
    assert state.step == 1
    assert load_file(tmp_path / "best.safetensors")["small-parotid-r.blocks.0.body.0.weight"].shape == (1,)

"""The views' slices: the same as the running system cuts, with contours where they belong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data.prepared import load_cases
from training.methods.multi_view.coarse import UNKNOWN, body_grid, coarse
from training.methods.multi_view.recipe import AS_PRINTED
from training.methods.multi_view.view_task import ViewTask, organ_dice
from training.reference import volume_of
from TwoStageSegLib.device import Device
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems.multi_view import MultiView
from TwoStageSegLib.systems.views import VIEWS

CPU = Device("cpu", "CPU", half=False)


class Seen:
    """Stands in for a running view and keeps what it is shown."""

    def __init__(self, runner):
        self.runner, self.spec, self.network, self.batches = runner, runner.spec, runner.network, []

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.batches.append(batch)
        return self.runner(batch)


def shown(bundle: Path, case) -> dict[str, np.ndarray]:
    """All slices ``(n, H, W)`` that the running system shows each view of a case."""
    system = MultiView(load_model(bundle), CPU)
    views = {role: Seen(runner) for role, runner in system.views.items()}
    system.views = views  # type: ignore[assignment]
    system.locate(volume_of(case), ["Brainstem"])
    return {role: np.concatenate(view.batches)[:, 0] for role, view in views.items()}


@pytest.mark.parametrize("view", list(VIEWS))
@pytest.mark.usefixtures("bare")
def test_a_sample_as_it_is_in_the_scan_is_what_the_running_system_shows_the_view(views_bundle, recipe, prepared, view):
    """The body has 30 x 26 x 26 voxels and two of air around. A batch of as many neighbouring slices as the body has
    holds them all; the running system fills 34 up to 40 and 30 to 32 behind."""
    case = load_cases(prepared, "validation")[0]
    depth = (34, 30, 30)[VIEWS[view]]
    every = replace(recipe, view_cases=1, view_slices=depth, view_stride=1)
    task = ViewTask(view, every, [case], [case])
    batch = task.batch(np.random.default_rng(0))
    seen = shown(views_bundle, case)[view]
    assert seen.shape == {"axial": (40, 32, 32), "coronal": (32, 40, 32), "sagittal": (32, 40, 32)}[view]
    np.testing.assert_allclose(batch["image"][:, 0].numpy(), seen[:depth], atol=1e-5)
    assert np.ptp(seen[depth:]) == 0  # air
    values = {n: case.value(o) for n, o in enumerate(every.organs, 1)}
    for number, value in values.items():
        truth = np.moveaxis(case.labels[3:37, 3:33, 3:33] == value, VIEWS[view], 0)
        drawn = (batch["labels"] == number).numpy()
        assert truth.any() and (drawn[:, : truth.shape[1], : truth.shape[2]] == truth).all()
        assert drawn.sum() == truth.sum()


@pytest.mark.usefixtures("bare")
def test_on_a_coarser_grid_the_low_pass_is_that_of_the_running_system(recipe, prepared):
    """6 mm out of slices of 2.5 mm. A Gaussian stands for the triangle; at the steepest edge, air to 40 HU, a tenth of
    the step may lie between them."""
    case = load_cases(prepared, "validation")[0]
    rough = replace(recipe, view_spacing=(6.0, 6.0, 6.0), view_cases=1, view_stride=1)
    depth = body_grid(case, rough).shape[0]
    task = ViewTask("axial", replace(rough, view_slices=depth), [case], [])
    got = task.batch(np.random.default_rng(0))["image"][:, 0].numpy()
    expected = coarse(case, rough)
    assert expected is not None
    difference = np.abs(got - expected.image[:depth])
    assert difference.mean() < 0.005 and difference.max() < 0.1


def test_bodies_of_two_sizes_share_a_batch(recipe, prepared):
    """Scaled between 0.7 and 1.3, so that the canvases differ; each sample's organs stay inside its own."""
    poses = replace(recipe.poses, scale=(0.7, 1.3), rotation_deg=5.0)
    cases = load_cases(prepared, "train")
    task = ViewTask("coronal", replace(recipe, poses=poses, view_cases=3, view_near=1.0), cases, [])
    shapes = set()
    for seed in range(4):
        batch = task.batch(np.random.default_rng(seed))
        n, _, h, w = batch["image"].shape
        shapes.add((h, w))
        assert n == 12 and batch["labels"].shape == (n, h, w) and batch["known"].shape == (n, 3)
        assert h % 8 == w % 8 == 0 and bool(batch["image"].isfinite().all())
        assert set(batch["labels"].unique().tolist()) <= {0, 1, 2, 3}
        assert (batch["labels"] > 0).any()
    assert len(shapes) > 1


@pytest.mark.usefixtures("bare")
def test_in_a_mirror_the_parotids_change_sides(recipe, prepared):
    """And the body still begins at the third column: what fills up the canvas lies behind it."""
    case = load_cases(prepared, "validation")[0]
    task = ViewTask("axial", replace(recipe, mirror=True, view_cases=1, view_near=1.0), [case], [])
    sides = set()
    for seed in range(6):
        batch = task.batch(np.random.default_rng(seed))
        body = (batch["image"] > 0).any(0).any(0).any(0).nonzero()[:, 0].tolist()
        assert (body[0], body[-1]) == (2, 27)
        for number, low in ((2, True), (3, False)):  # the right one lies at low x, mirrored or not
            where = (batch["labels"] == number).nonzero()[:, 2]
            if len(where):
                assert (float(where.float().mean()) < 16) == low
                sides.add(number)
    assert sides == {2, 3}


def test_a_new_view_begins_with_what_each_class_counts(recipe, cases):
    """Equation 2 on the shares: what is 1000 times rarer and counts 10 times as much has a hundredth of the odds."""
    task = ViewTask("axial", recipe, *cases)
    network = task.network()
    share = network.head.bias.softmax(0).tolist()  # type: ignore[union-attr, operator]
    counts, weight = task.counts, task.weight
    assert weight is not None
    assert counts[1] == pytest.approx(8 * 8 * 8) and counts[2] == pytest.approx(8 * 6 * 5)
    assert counts[0] == pytest.approx(34 * 30 * 30 - 512 - 240 - 240)
    assert float(weight[1] / weight[0]) == pytest.approx(10.0, rel=1e-3)
    assert share[1] / share[0] == pytest.approx(10 * counts[1] / counts[0], rel=1e-3)


def test_weights_as_printed_need_no_counts(recipe, cases):
    task = ViewTask("sagittal", replace(recipe, view_weighting=AS_PRINTED), *cases)
    assert task.weight is None
    batch = task.batch(np.random.default_rng(0))
    loss = task.loss(task.network(), batch).detach()
    assert bool(loss.isfinite()) and float(loss) > 0


def test_an_implausible_contour_counts_as_nothing(recipe, prepared):
    """``without_outliers`` takes an organ out of ``known`` and leaves its voxels labelled."""
    case = load_cases(prepared, "validation")[0]
    known = {organ: box for organ, box in case.known.items() if organ != "Brainstem"}
    found = coarse(replace(case, known=known), recipe)
    assert found is not None
    assert int((found.labels == UNKNOWN).sum()) == 512 and found.known.tolist() == [False, True, True]


def test_the_score_is_the_mean_over_whole_organs(recipe, cases):
    case = cases[1][0]
    truth = coarse(case, recipe)
    assert truth is not None
    perfect = torch.nn.functional.one_hot(truth.labels, 4).movedim(3, 0).float()
    assert organ_dice([(case, truth)], [perfect], recipe)["score"] == 1.0
    blind = perfect.clone()
    blind[1] = -1
    scores = organ_dice([(case, truth)], [blind], recipe)
    assert scores["Brainstem"] == 0.0 and scores["score"] == pytest.approx(2 / 3)

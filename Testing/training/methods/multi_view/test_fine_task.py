"""A fine network's crops are those that the running system cuts; its loss is generalised Dice, either way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.data.prepared import load_cases
from training.losses.multi_view import generalised_dice
from training.methods.multi_view.fine_task import FineTask
from training.methods.multi_view.recipe import AS_PRINTED
from training.reference import volume_of
from TwoStageSegLib.device import Device
from TwoStageSegLib.model import load_model
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems.multi_view import MultiView


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("organ", ["Parotid_R", "Parotid_L"])
def test_a_sample_as_it_is_in_the_scan_is_what_the_running_system_cuts(views_bundle, recipe, prepared, organ):
    """Both sides come as right ones."""
    case = load_cases(prepared, "validation")[0]
    only = replace(recipe, targets=tuple(t for t in recipe.targets if t.organ == organ))
    sample = FineTask("fine-parotid", only, [case], []).batch(np.random.default_rng(0))
    system = MultiView(load_model(views_bundle), Device("cpu", "CPU", half=False))
    shown: list[np.ndarray] = []
    runner = system.segmenters["fine-parotid"]
    system.segmenters["fine-parotid"] = Spy(runner, shown)  # type: ignore[assignment]
    volume = volume_of(case)
    system.probability(volume, Region.click(organ, volume.geometry.index_to_lps(case.centre_index(organ))))
    np.testing.assert_allclose(sample["image"][0].numpy(), shown[0][0], atol=1e-4)
    assert float(sample["labels"][0].sum()) == pytest.approx(240, rel=0.01)


class Spy:
    def __init__(self, runner, shown: list[np.ndarray]):
        self.runner, self.spec, self.network, self.shown = runner, runner.spec, runner.network, shown

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.shown.append(batch)
        return self.runner(batch)


def test_a_case_without_the_contour_is_never_drawn(recipe, prepared):
    task = FineTask("fine-parotid", recipe, load_cases(prepared, "train"), [])
    assert {name: [c.name for c in cases] for name, cases in task.training.items()} == {
        "Parotid_R": ["train_0", "train_1"],
        "Parotid_L": ["train_0", "train_1"],
    }


@pytest.mark.parametrize("way", ["standard", AS_PRINTED])
def test_the_loss_is_generalised_dice(recipe, cases, way):
    task = FineTask("fine-brainstem", replace(recipe, fine_dice=way), *cases)
    batch = task.batch(np.random.default_rng(0))
    network = task.network().eval()
    with torch.no_grad():
        loss, logits = task.loss(network, batch), network(batch["image"])
    assert float(loss) == pytest.approx(float(generalised_dice(logits, batch["labels"], way == AS_PRINTED)))
    other = generalised_dice(logits, batch["labels"], way != AS_PRINTED)
    assert float(loss) != pytest.approx(float(other), abs=1e-3)


def test_validation_reads_the_organs_own_channel(recipe, cases):
    task = FineTask("fine-parotid", recipe, *cases)
    scores = task.validate(task.network().eval(), torch.device("cpu"))
    assert set(scores) == {"Parotid_R", "Parotid_L", "score"}

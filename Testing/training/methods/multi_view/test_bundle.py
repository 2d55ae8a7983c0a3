"""A run becomes a bundle: every network a role, the fusion a parameter; and one command makes one that works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training.data.prepared import load_cases
from training.export import export
from training.fit import FitOptions
from training.methods.multi_view import METHOD
from training.recipes import RECIPES
from training.recipes.common import Budget
from training.reference import mask_of, volume_of
from training.sources import PHANTOM
from training.train import load, train_all
from TwoStageSegLib.device import Device
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import load_model, verify
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.systems import create

FINE = ("fine-brainstem", "fine-parotid")


def test_the_bundle_says_what_the_recipe_says(views_bundle, views_run, recipe):
    model = verify(views_bundle)
    create(model, Device("cpu", "CPU", half=False)).self_test()
    m = model.manifest
    assert m.system == "multi-view" and set(m.networks) == {"axial", "coronal", "sagittal", *FINE}
    assert m.networks["sagittal"].outputs == ["background", "Brainstem", "Parotid_R", "Parotid_L"]
    assert m.networks["fine-parotid"].outputs == ["Parotid_R"]
    assert [(o.network, o.output, o.mirror) for o in m.organs] == [
        ("fine-brainstem", 0, False), ("fine-parotid", 0, False), ("fine-parotid", 0, True),
    ]  # fmt: skip
    assert m.organ("Brainstem").crop_mm == [40.0, 64.0, 64.0]
    scores = load_file(views_run / "fusion" / "best.safetensors")["scores"]
    weights = torch.tensor([m.parameters["view_weights"][role] for role in ("axial", "coronal", "sagittal")])
    assert torch.allclose(weights, scores.softmax(0), atol=1e-4)


def test_an_unknown_network_is_named_with_those_that_there_are(recipe, cases, tmp_path):
    with pytest.raises(SystemExit, match="no network 'locate'; it has: axial, coronal, sagittal, fusion"):
        METHOD.task("locate", recipe, cases[0], cases[1], tmp_path)


def test_a_loss_that_does_not_exist_is_refused(recipe):
    with pytest.raises(ValueError, match="does not exist"):
        replace(recipe, fine_dice="printed")


def test_the_shipped_recipe_trains_every_network_in_an_order_that_works():
    recipe, _ = RECIPES["hn-oar-ct-views"]
    names = METHOD.names(recipe)
    assert names[:5] == ("axial", "coronal", "sagittal", "fusion", "fine-parotid") and len(names) == 10
    assert [b.network for b in recipe.budgets] == list(names)
    for budget in recipe.budgets:
        assert not budget.start or names.index(budget.start) < names.index(budget.network)
    assert {t.organ for t in recipe.targets} == set(recipe.organs)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_one_case_learned_by_heart_is_found_and_segmented(prepared: Path, recipe, tmp_path):
    """Train, export with calibration, locate and segment: Dice above 0.95 for all three organs."""
    case = load_cases(prepared, "validation")[0]
    budgets = [Budget(name, 150, decay_steps=60, every=150, lr=1e-2) for name in ("axial", "coronal", "sagittal")]
    budgets += [Budget("fusion", 20, decay_steps=5, every=20, lr=5e-2)]
    budgets += [Budget(name, 150, decay_steps=60, every=150, lr=1e-2) for name in FINE]
    learned = replace(recipe, budgets=tuple(budgets), view_cases=1, view_slices=8, view_stride=2, ema=0.9)
    cases = ([case], [case])
    list(train_all(learned, cases, tmp_path / "run", FitOptions(half=False), quiet=True))
    model = export(learned, PHANTOM, tmp_path / "run", tmp_path / "bundle", [case], "1.0.0")
    assert model.manifest.organ("Brainstem").volume_ml == [20.5, 20.5]
    volume = volume_of(case)
    found = Pipeline(load_model(model.folder), "cpu").run(volume)
    for organ in found.organs:
        assert organ.mask is not None, organ.region
        truth = mask_of(case, organ.region.organ, volume).full()
        assert dice(np.asarray(organ.mask.full(), bool), truth) > 0.95, organ.region.organ


def test_the_cases_of_the_shipped_recipe_are_loaded_as_others_are(prepared: Path):
    recipe, _ = RECIPES["hn-oar-ct-views"]
    training, validation = load(recipe, prepared)
    assert len(training) == 3 and len(validation) == 1

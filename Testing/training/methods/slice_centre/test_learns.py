"""One case learned by heart, exported in the three ways of papers/000, drawn by the running system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.data.prepared import load_cases
from training.export import export
from training.fit import FitOptions
from training.methods.slice_centre.recipe import SliceCentreRecipe
from training.recipes.common import Budget
from training.reference import mask_of, volume_of
from training.sources import PHANTOM
from training.train import train_all
from TwoStageSegLib.device import Device
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.systems import create

BUDGETS = (Budget("locate", 90, 40, every=90), Budget("chunk", 60, 30, every=60), Budget("segment", 80, 40, every=80))
COARSE = Budget("segment-coarse", 10, 5, every=10, start="segment")


@pytest.fixture(scope="module")
def recipes(tiny: SliceCentreRecipe) -> dict[str, SliceCentreRecipe]:
    taught = replace(tiny, lr=5e-3, budgets=BUDGETS)
    coarse = replace(taught, drawer="coarse", budgets=(BUDGETS[0], COARSE))
    return {"fine": taught, "coarse": coarse, "chunk": replace(taught, drawer="chunk")}


@pytest.fixture(scope="module")
def run(tubes: Path, recipes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    cases = load_cases(tubes, "train"), load_cases(tubes, "validation")
    list(train_all(recipes["fine"], cases, folder, FitOptions(half=False), quiet=True))
    before = (folder / "locate" / "last.safetensors").stat().st_mtime_ns
    list(train_all(recipes["coarse"], cases, folder, FitOptions(half=False), quiet=True))
    assert (folder / "locate" / "last.safetensors").stat().st_mtime_ns == before  # one locator for all of them
    assert {"errors.npy", "best.safetensors"} <= {p.name for p in (folder / "chunk").iterdir()}
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("drawer", ["fine", "coarse", "chunk"])
def test_the_exported_bundle_finds_and_draws_it(drawer, run, recipes, tubes, tmp_path):
    cases = load_cases(tubes, "validation")
    model = export(recipes[drawer], PHANTOM, run, tmp_path / drawer, cases, "1.0.0")
    organ = model.manifest.organs[0]
    assert 0.05 <= organ.located_score <= organ.low_score <= 1
    assert organ.volume_ml == [19.2, 19.2]  # 20 slices of 24 voxels of 2.5 x 4 x 4 mm
    system, volume = create(model, Device("cpu", "CPU", half=False)), volume_of(cases[0])
    region = system.locate(volume, ["Esophagus"])["Esophagus"]
    assert region.usable and len(region.centres_lps) == 20
    mask, truth = system.segment(volume, region), mask_of(cases[0], "Esophagus", volume)
    assert dice(mask.full(), truth.full()) > 0.95
    low, high = np.reshape(region.bounds_lps, (3, 2)).T
    box = np.reshape(truth.tight_box().bounds_lps, (3, 2)).T
    assert (low <= box[0] + 0.1).all() and (high >= box[1] - 0.1).all()  # the margins reach the organ's faces

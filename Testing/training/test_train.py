"""One command makes a bundle of a recipe: every network in order, within its budget, then export."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from Testing.harness.tiny_recipe import TINY
from training.__main__ import main
from training.fit import FitOptions
from training.recipes.common import Budget
from training.recipes.file import write_recipe
from training.sources import PHANTOM
from training.train import load, shortened, train_all
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.model import verify

BUDGETS = (Budget("locate", 2, decay_steps=1, every=2), Budget("segment", 3, restarts=2, every=3, start=""))
QUICK = FitOptions(half=False)


def test_every_network_is_trained_within_its_budget_and_resumes(prepared: Path, tmp_path: Path) -> None:
    recipe = replace(TINY, budgets=BUDGETS)
    cases = load(recipe, prepared)
    lines = list(train_all(recipe, cases, tmp_path / "run", QUICK, quiet=True))
    assert [line.split(",")[0] for line in lines] == ["locate: 2 steps", "segment: 3 steps"]
    before = (tmp_path / "run" / "segment" / "final.safetensors").read_bytes()
    assert list(train_all(recipe, cases, tmp_path / "run", QUICK, quiet=True)) == lines
    assert (tmp_path / "run" / "segment" / "final.safetensors").read_bytes() == before


def test_a_network_may_begin_with_the_weights_of_another(prepared: Path, tmp_path: Path) -> None:
    first = replace(TINY, budgets=BUDGETS, targets=tuple(replace(t, network="segment-b") for t in TINY.targets))
    going_on = Budget("segment-b", 1, decay_steps=1, every=1, start="segment", lr=1e-12)
    first = replace(first, budgets=(*BUDGETS, going_on), weight_decay=0.0)
    list(train_all(first, load(first, prepared), tmp_path, QUICK, quiet=True))
    a, b = (load_file(tmp_path / n / "final.safetensors") for n in ("segment", "segment-b"))
    assert max(float((a[k] - b[k]).abs().max()) for k in a) < 1e-6  # a step at no rate leaves them where they were


def test_a_share_of_every_part_of_a_budget() -> None:
    assert shortened(Budget("a", 1000, decay_steps=300, every=100), 0.25) == Budget("a", 250, decay_steps=75, every=25)
    assert shortened(Budget("a", 2, restarts=1, every=2, lr=0.1), 0.1) == Budget("a", 1, restarts=1, every=1, lr=0.1)


def test_a_network_without_a_budget_is_named(prepared: Path, tmp_path: Path) -> None:
    recipe = replace(TINY, budgets=BUDGETS[:1])
    with pytest.raises(UsageError, match="no budget for segment"):
        list(train_all(recipe, load(recipe, prepared), tmp_path, QUICK, quiet=True))
    assert not any(tmp_path.iterdir())  # nothing was trained before that was seen


@pytest.mark.usefixtures("located_anywhere")
def test_from_a_recipe_file_to_a_bundle_in_one_command(prepared: Path, tiny_run: Path, tmp_path: Path, capsys) -> None:
    recipe = replace(TINY, budgets=(Budget("locate", 2, decay_steps=1, every=2), BUDGETS[1]))
    write_recipe(tmp_path / "recipe.json", recipe, PHANTOM)
    shutil.copytree(tiny_run / "locate", tmp_path / "run" / "locate")  # two steps of a locator that finds everything
    arguments = ["--recipe", str(tmp_path / "recipe.json"), "--data", str(prepared), "--run", str(tmp_path / "run")]
    assert main(["train", *arguments, "--to", str(tmp_path / "tiny"), "--threads", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("tiny 1.0.0 in ")
    assert verify(tmp_path / "tiny").manifest.organ_names == ("Brainstem", "Parotid_R", "Parotid_L")

"""Recipes as JSON: the committed ones survive the way there and back, mistakes are named with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.data.prepared import load_cases
from training.recipes import RECIPES, recipe
from training.recipes.file import read_recipe, write_recipe
from training.recipes.recipe import check_cases
from TwoStageSegLib.errors import UsageError


@pytest.mark.parametrize("name", RECIPES)
def test_there_and_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    write_recipe(path, *RECIPES[name])
    assert read_recipe(path) == RECIPES[name] == recipe(str(path))


SMALL = {
    "name": "two", "organs": ["A", "B"], "segment_widths": [8, 16], "locate_widths": [8, 16],
    "locate_shape": [16, 16, 16],
    "targets": [
        {"organ": "A", "channel": "A", "shape": [16, 16, 16], "share": 0.5},
        {"organ": "B", "channel": "B", "shape": [16, 16, 8], "share": 0.5},
    ],
}  # fmt: skip


def write(path: Path, **changes) -> Path:
    source = {
        "title": "t", "weights_licence": "w", "data_licence": "d", "attribution": [], "intended_use": "u",
        "not_for": [], "references": [],
    }  # fmt: skip
    path.write_text(json.dumps({"recipe": {**SMALL, **changes}, "source": source}))
    return path


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    found, _ = read_recipe(write(tmp_path / "r.json", poses={"shift_mm": 2.0}))
    assert (found.modality, found.lr, found.poses.shift_mm, found.poses.far) == ("CT", 1e-3, 2.0, 2.0)
    assert found.targets[1].shape == (16, 16, 8) and found.channels == ("A", "B")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"learning_rate": 1.0}, "unknown key 'learning_rate'"),
        ({"clip": [1.0, 2.0, 3.0]}, r"recipe\.clip must be a list of 2"),
        ({"lr": "fast"}, r"recipe\.lr must be a finite number"),
        ({"name": "My recipe"}, "lower-case"),
        ({"targets": []}, "lists no organ"),
        ({"organs": ["A"]}, "has an organ that recipe.organs lacks"),
        ({"organs": ["A", "B", "B"]}, "lists an organ twice"),
        ({"segment_widths": [8, 12]}, "multiples of 8"),
        ({"segment_widths": [8, 16, 32, 64, 96]}, "shape of B does not fit"),
        ({"locate_shape": [16, 15, 16]}, "locate_shape does not fit"),
        ({"clip": [5.0, 5.0]}, "clip must rise"),
        ({"segment_spacing": [1.0, 0.0, 1.0]}, "above 0 mm"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changes, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        read_recipe(write(tmp_path / "r.json", **changes))
    assert caught.value.code == "E_RECIPE"


def test_an_unknown_system_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "r.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"system": "one-stage"}))
    with pytest.raises(UsageError, match=r"r\.json\.system must be one of localise-crop, .*focus"):
        read_recipe(path)


def test_another_systems_recipe_has_its_own_fields(tmp_path: Path) -> None:
    write_recipe(tmp_path / "r.json", *RECIPES["esophagus-ct-centre"])
    text = json.loads((tmp_path / "r.json").read_text())
    text["recipe"]["chunk_batch"] = 3
    (tmp_path / "r.json").write_text(json.dumps(text))
    assert recipe(str(tmp_path / "r.json"))[0].chunk_batch == 3
    text["recipe"]["targets"] = []
    (tmp_path / "r.json").write_text(json.dumps(text))
    with pytest.raises(UsageError, match=r"recipe has the unknown key 'targets'"):
        read_recipe(tmp_path / "r.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recipe file 'r\.json'"):
        recipe(str(tmp_path / "r.json"))


def test_a_recipe_for_other_cases_is_refused(prepared: Path, tmp_path: Path) -> None:
    cases = load_cases(prepared, "train")
    check_cases(RECIPES["hn-oar-ct"][0], cases)
    with pytest.raises(UsageError, match="two is for MR, the cases are CT"):
        check_cases(read_recipe(write(tmp_path / "r.json", modality="MR"))[0], cases)
    with pytest.raises(UsageError, match="None of the organs of two is in the cases, which have: Brainstem"):
        check_cases(read_recipe(write(tmp_path / "r.json"))[0], cases)

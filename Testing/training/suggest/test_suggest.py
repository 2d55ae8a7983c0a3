"""The proposal as a whole: readable, as JSON, and as a recipe that trains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.__main__ import main
from training.data.prepared import load_cases
from training.recipes import recipe
from training.suggest import suggest
from training.tasks import task


def test_what_a_person_reads(prepared: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / "recipe.json"
    assert main(["suggest", "--from", str(prepared), "--to", str(file), "--name", "My Organs"]) == 0
    shown = capsys.readouterr().out
    for text in ("3 training and 1 validation cases, CT", "Brainstem", "System: localise-crop", "Margin about"):
        assert text in shown
    assert f"train --recipe {file} --data {prepared} --run runs/my-organs" in shown
    assert "Only 1 validation cases" in shown
    assert recipe(str(file))[0].name == "my-organs"


def test_as_json(prepared: Path, capsys) -> None:
    assert main(["suggest", "--from", str(prepared), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"seen", "system", "sizes", "recipe"}
    assert found["seen"]["training"] == 3 and found["system"]["system"] == "localise-crop"
    assert {t["organ"] for t in found["recipe"]["targets"]} == {"Brainstem", "Parotid_R", "Parotid_L"}


def test_left_and_right_of_one_size_share_an_output(prepared: Path) -> None:
    found = suggest(prepared).recipe
    assert {t.organ: t.channel for t in found.targets} == {
        "Brainstem": "Brainstem", "Parotid_R": "Parotid_R", "Parotid_L": "Parotid_R",
    }  # fmt: skip
    assert found.mirror and found.average_mirror  # the brainstem is on the midline, the parotids are a pair
    assert found.modality == "CT" and found.clip[0] < 20 < 140 < found.clip[1]


def test_no_mirror_where_the_body_is_not_symmetric(prepared: Path, tmp_path: Path) -> None:
    for path in prepared.glob("*/case.json"):
        folder = tmp_path / path.parent.name
        folder.mkdir()
        for array in path.parent.glob("*.npy"):
            (folder / array.name).symlink_to(array)
        (folder / "case.json").write_text(path.read_text().replace("Brainstem", "Liver"))
    assert not suggest(tmp_path).recipe.mirror


@pytest.mark.parametrize("network", ["locate", "segment"])
def test_the_recipe_trains(prepared: Path, network: str) -> None:
    """A batch of each network: finite loss, and what is unknown is not in it."""
    found = suggest(prepared).recipe
    work = task(network, found, load_cases(prepared, "train"), load_cases(prepared, "validation"))
    loss = work.loss(work.network(), work.batch(np.random.default_rng(0)))
    assert np.isfinite(float(loss.detach()))

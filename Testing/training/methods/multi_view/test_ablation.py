"""The table that tests whether fusion is better than its views, with views whose answers are known beforehand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.data.prepared import load_cases
from training.methods.multi_view import ablation as module
from training.methods.multi_view.ablation import Remembered, ablation, main, weightings
from training.methods.multi_view.ablation_table import summary, table
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems.multi_view import MultiView

BRAINSTEM = (140 + 288) / 1200  # its value in the box cases, as the networks see it


class View:
    """Knows the brainstem by its value; a blind one is sure of background, and surer than the other of the organ."""

    def __init__(self, runner, blind: bool):
        self.spec, self.network, self.blind, self.calls = runner.spec, runner.network, blind, 0

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.calls += 1
        out = np.zeros((len(batch), 4, *batch.shape[2:]), np.float32)
        out[:, 1] = -9 if self.blind else np.where(np.abs(batch[:, 0] - BRAINSTEM) < 1e-3, 6, -6)
        out[:, 2:] = -9
        return out


@pytest.fixture
def stubbed(views_bundle, monkeypatch) -> MultiView:
    system = MultiView(load_model(views_bundle), Device("cpu", "CPU", half=False))
    system.views = {role: View(runner, role != "axial") for role, runner in system.views.items()}  # type: ignore
    system.weights = np.array([[1 / 3, 1, 1, 1], [1 / 3, 0, 0, 0], [1 / 3, 0, 0, 0]], np.float32)
    monkeypatch.setattr(module, "create", lambda *_: system)
    return system


def test_each_way_has_its_own_dice(stubbed, views_bundle, prepared):
    """Axial alone is right, the other two say background; equal weights: (6 - 9 - 9) / 3 is below 0."""
    rows = ablation(load_model(views_bundle), load_cases(prepared, "validation"))
    assert [r["organ"] for r in rows] == ["Brainstem", "Parotid_R", "Parotid_L"]
    assert rows[0] | {"case": ""} == {
        "case": "", "organ": "Brainstem", "axial": 1.0, "coronal": 0.0, "sagittal": 0.0, "equal": 0.0, "learned": 1.0,
    }  # fmt: skip
    assert {rows[1][way] for way in ("axial", "learned")} == {0.0}


def test_a_view_looks_once_at_every_slice(stubbed, views_bundle, prepared):
    ablation(load_model(views_bundle), load_cases(prepared, "validation"))
    assert [view.calls for view in stubbed.views.values()] == [3, 2, 2]  # type: ignore[attr-defined]


def test_an_answer_is_remembered_in_the_order_of_asking():
    seen = Remembered(lambda batch: batch * 2)  # type: ignore[arg-type]
    first = [seen(np.full(1, v, np.float32)) for v in (1.0, 2.0)]
    again = seen.again()
    assert [again(np.zeros(1, np.float32)) for _ in range(2)] == first


def test_weights_of_every_way_sum_to_one_over_the_views():
    learned = np.full((3, 4), 1 / 3, np.float32)
    for weights in weightings(learned).values():
        assert np.allclose(weights.sum(0), 1)


def test_the_summary_by_hand():
    rows = [
        {"case": "a", "organ": "X", "axial": 0.8, "coronal": 0.6, "sagittal": 0.5, "equal": 0.7, "learned": 0.9},
        {"case": "b", "organ": "X", "axial": 0.6, "coronal": 0.7, "sagittal": 0.5, "equal": 0.7, "learned": 0.8},
    ]
    found = summary(rows, ("X", "Y"))  # type: ignore[arg-type]
    assert set(found) == {"X", "all"} and found["X"]["n"] == 2 and found["X"]["best_view"] == "axial"
    assert found["X"]["learned"] == pytest.approx([0.85, 0.05])
    assert found["X"]["over_best_view"]["difference"] == pytest.approx(0.15)
    assert found["X"]["over_equal"]["difference"] == pytest.approx(0.15)
    text = table(found, "2 cases")
    assert "| X | 2 | 0.700 +- 0.100 |" in text and "**0.850 +- 0.050**" in text and "+0.150" in text


def test_the_command_writes_table_and_figures(stubbed, views_bundle, prepared, tmp_path, capsys):
    to = tmp_path / "views.md"
    where = ["--bundle", str(views_bundle), "--data", str(prepared), "--to", str(to)]
    assert main([*where, "--split", "test", "--grade", "A"]) == 0
    assert capsys.readouterr().out == to.read_text() and "1 test cases of grade A" in to.read_text()
    figures = json.loads((tmp_path / "views.json").read_text())
    assert figures["summary"]["Brainstem"]["learned"] == [1.0, 0.0] and len(figures["rows"]) == 3
    assert str(prepared) not in (tmp_path / "views.json").read_text()


def test_what_cannot_be_measured_is_said(views_bundle, prepared, tmp_path, capsys):
    where = ["--bundle", str(views_bundle), "--data", str(prepared)]
    assert main([*where, "--to", str(tmp_path / "x.md"), "--grade", "B"]) == 2
    assert "grade 'B'" in capsys.readouterr().err
    assert main([*where, "--to", str(tmp_path / "x.json")]) == 2
    assert not list(tmp_path.iterdir())


def test_a_bundle_without_views_is_refused(views_bundle, monkeypatch):
    monkeypatch.setattr(module, "create", lambda *_: object())
    with pytest.raises(UsageError, match="has no views"):
        ablation(load_model(views_bundle), [])

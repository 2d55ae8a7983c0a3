"""The panel on the real scene: press, correct, cancel, crash, close; with the real worker process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_system import BOXES_ZYX, STALL, fake_volume
from Testing.harness.module import node_ids
from Testing.harness.workers import POSIX, entered, gone, until_entered
from TwoStageSegLib.scene import node_from_volume

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L")
STAGES = ("load", "locate", "segment-Parotid_R")


def block(organ: str) -> np.ndarray:
    full = np.zeros((24, 24, 28), bool)
    z, y, x = BOXES_ZYX[organ]
    full[z : z + 4, y : y + 4, x : x + 4] = True
    return full


def test_at_start_the_panel_says_what_is_needed(panel: Any) -> None:
    ui = panel.ui
    assert ui.modelSelector.currentText == "Bundle for tests"
    assert "CC0-1.0" in ui.modelSummary.text and "not a medical device" in ui.modelSummary.text
    for fact in ("Tests.", "patients", "CC0-1.0", "not measured"):
        assert fact in ui.aboutText.text
    assert ui.aboutText.text.count(panel.session.model.sha256[:16]) == 1
    assert not ui.runButton.enabled
    assert ui.runButton.text == "Locate && Segment"
    assert ui.progressBar.format == ""  # it keeps its place, empty
    assert not ui.questionFrame.visible
    assert [panel.row(o).tick.text for o in ORGANS] == list(ORGANS)
    assert panel.problems() == ""
    assert "Research use only" in ui.noticeText.text


def test_the_button_brings_segments_boxes_and_words(ready: Any) -> None:
    assert "24" in ready.ui.volumeText.text and "CT" in ready.ui.volumeText.text
    ready.run()
    assert ready.segments() == list(ORGANS)
    for organ in ORGANS:
        assert np.array_equal(ready.voxels(organ), block(organ))
        assert ready.status(organ).startswith("located")
        assert "1.00" in ready.status(organ)
        assert ready.box(organ).IsA("vtkMRMLMarkupsROINode")
    assert ready.ui.targetSelector.currentNode() is ready.session.target
    assert ready.ui.outcomeText.text == "Done."
    assert ready.ui.runButton.text == "Locate && Segment"
    assert "CPU: fake" in ready.ui.deviceText.text
    assert "s" in ready.ui.deviceText.text  # how long the next run takes


def test_it_fits_a_narrow_panel_and_nothing_jumps(ready: Any) -> None:
    places = {o: ready.row(o).frame.geometry for o in ORGANS}
    button = ready.ui.runButton.geometry
    ready.run()
    assert {o: ready.row(o).frame.geometry for o in ORGANS} == places
    assert ready.ui.runButton.geometry == button
    assert ready.minimum_width() <= 360


def test_only_ticked_organs_are_run(ready: Any) -> None:
    for organ in ORGANS[:2]:
        ready.click(ready.row(organ).tick)
    ready.run()
    assert ready.segments() == ["Parotid_L"]
    ready.click(ready.row("Parotid_L").tick)
    assert not ready.ui.runButton.enabled


def test_a_dragged_box_redoes_its_organ_alone(ready: Any, tmp_path: Any) -> None:
    ready.run()
    before = {organ: ready.voxels(organ) for organ in ORGANS}
    stages = len(entered(tmp_path))
    box = ready.box("Parotid_R")
    r, a, s = box.GetCenter()
    box.InvokeEvent(box.PointStartInteractionEvent)
    for step in (4.0, 8.0, 12.0):
        box.SetCenter(r - step, a, s)
        ready.process_events(0.1)
    assert not ready.session.busy  # the mouse button is still down
    assert "will be redone" in ready.status("Parotid_R")
    box.InvokeEvent(box.PointEndInteractionEvent)
    ready.until(lambda: len(entered(tmp_path)) > stages)
    ready.finish()
    assert entered(tmp_path)[stages:] == ["segment-Parotid_R"]
    after = ready.voxels("Parotid_R")
    assert after.sum() == 32 and not (after & ~before["Parotid_R"]).any()  # two of four columns are left in the box
    for organ in ("Brainstem", "Parotid_L"):
        assert np.array_equal(ready.voxels(organ), before[organ])
    assert ready.status("Parotid_R").startswith("your box")
    assert ready.row("Parotid_R").buttons["auto"].enabled


def test_without_redo_by_itself_the_user_asks(ready: Any) -> None:
    ready.run()
    ready.click(ready.ui.autoRerunBox)
    box = ready.box("Brainstem")
    r, a, s = box.GetCenter()
    box.SetCenter(r - 12, a, s)
    ready.process_events(0.6)
    assert not ready.session.busy
    assert ready.voxels("Brainstem").sum() == 64
    ready.click(ready.ui.redoButton)
    ready.finish()
    assert ready.voxels("Brainstem").sum() == 32
    assert not ready.ui.redoButton.enabled


def test_auto_again_takes_the_models_place(ready: Any) -> None:
    ready.run()
    r, a, s = ready.box("Brainstem").GetCenter()
    ready.box("Brainstem").SetCenter(r - 12, a, s)
    ready.process_events(0.5)
    ready.finish()
    assert ready.voxels("Brainstem").sum() == 32
    ready.click(ready.row("Brainstem").buttons["auto"])
    ready.finish()
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))
    assert ready.status("Brainstem").startswith("located")


@pytest.mark.parametrize("stage", STAGES)
def test_cancel_in_every_stage_changes_nothing(ready: Any, monkeypatch: Any, tmp_path: Any, stage: str) -> None:
    monkeypatch.setenv(STALL, f"{stage}=30")
    ready.click(ready.ui.runButton)
    worker = ready.worker()
    ready.until(lambda: stage in entered(tmp_path))
    assert ready.ui.runButton.text == "Cancel"
    assert ready.ui.progressBar.format != ""
    ready.click(ready.ui.runButton)
    assert not ready.ui.runButton.enabled  # it is being obeyed
    ready.finish()
    assert ready.ui.outcomeText.text == "Cancelled. Nothing was changed."
    assert ready.segments() == [] and ready.problems() == ""
    assert gone(worker)
    monkeypatch.delenv(STALL)
    ready.run()
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))


@POSIX
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_worker_is_a_message(ready: Any, monkeypatch: Any, tmp_path: Any, stage: str) -> None:
    monkeypatch.setenv(STALL, f"{stage}=30")
    ready.click(ready.ui.runButton)
    ready.until(lambda: stage in entered(tmp_path))
    ready.kill_worker()
    ready.finish()
    assert "worker process ended" in ready.ui.runProblem.text and "memory" in ready.ui.runProblem.text
    assert ready.ui.runProblem.visible
    assert ready.ui.runButton.enabled
    monkeypatch.delenv(STALL)
    ready.run()
    assert ready.problems() == ""
    assert ready.segments() == list(ORGANS)


@pytest.mark.parametrize("stage", STAGES)
def test_the_scene_is_closed_while_it_runs(ready: Any, mini: Any, monkeypatch: Any, tmp_path: Any, stage: str) -> None:
    monkeypatch.setenv(STALL, f"{stage}=30")
    ready.click(ready.ui.runButton)
    worker = ready.worker()
    ready.until(lambda: stage in entered(tmp_path))
    mini.scene.Clear(False)
    ready.process_events(0.3)
    assert gone(worker)
    assert ready.ui.volumeSelector.currentNode() is None
    assert not ready.ui.runButton.enabled and ready.ui.runButton.text == "Locate && Segment"
    assert ready.ui.progressBar.format == ""
    monkeypatch.delenv(STALL)
    ready.choose(node_from_volume(mini.scene, fake_volume(), "next"))
    ready.run()
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))


@pytest.mark.parametrize("stage", STAGES)
def test_the_module_is_closed_while_it_runs(
    slicer_host: Any, home: Any, scratch: Any, mini: Any, monkeypatch: Any, tmp_path: Any, stage: str
) -> None:
    from Testing.harness.panel import open_panel
    from Testing.harness.workers import FAKE

    opened = open_panel(slicer_host, worker=FAKE, probe=False)
    nodes = node_ids(mini.scene)
    monkeypatch.setenv(STALL, f"{stage}=30")
    opened.choose(node_from_volume(mini.scene, fake_volume(), "CT"))
    opened.click(opened.ui.runButton)
    worker = opened.worker()
    until_entered(tmp_path, stage)
    opened.close()
    assert gone(worker, 2.0)
    mini.scene.Clear(False)  # nobody listens any more
    slicer_host.raise_failures()
    assert {n for n in node_ids(mini.scene) if n not in nodes} == set()


def test_two_volumes_in_turn(ready: Any, mini: Any, tmp_path: Any) -> None:
    first = ready.session.volume_node
    ready.run()
    second = node_from_volume(mini.scene, fake_volume(("Brainstem",)), "second")
    ready.choose(second)
    assert ready.status("Brainstem") == "–"
    ready.ui.targetSelector.setCurrentNode(None)
    ready.run()
    assert ready.segments() == ["Brainstem"]
    assert ready.status("Parotid_R").startswith("not located")
    assert "Not located: Parotid_R, Parotid_L." in ready.ui.outcomeText.text
    ready.choose(first)
    assert ready.status("Parotid_R").startswith("located")
    assert entered(tmp_path).count("load") == 1  # the model stays warm


def test_undo_takes_the_run_back(ready: Any) -> None:
    assert not ready.ui.undoButton.enabled
    for take_back in (lambda: ready.click(ready.ui.undoButton), lambda: ready.press("Ctrl+Z")):
        ready.run()
        take_back()
        assert ready.segments() == [] and not ready.ui.undoButton.enabled


def test_nodes_and_files_do_not_pile_up(ready: Any, mini: Any, scratch: Any) -> None:
    ready.run()
    before = node_ids(mini.scene)
    for _ in range(5):
        ready.run()
    assert node_ids(mini.scene) == before
    (folder,) = scratch.glob("twostageseg-*")
    assert list(folder.iterdir()) == []


def test_the_log_can_be_copied_and_names_no_patient(ready: Any) -> None:
    import qt

    ready.session.volume_node.SetName("DOE^JANE")
    ready.run()
    ready.click(ready.ui.logSection)
    ready.click(ready.ui.copyLogButton)
    copied = qt.QApplication.clipboard().text()
    assert "run 1" in copied and "run 1" in ready.ui.logText.plainText
    assert "DOE" not in copied

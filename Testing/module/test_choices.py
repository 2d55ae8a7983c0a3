"""Choices in the panel: scan, model, target, what is overwritten; settings, keyboard, Segment Editor, first use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.fake_system import fake_volume
from Testing.harness.mrml import segmentation_node
from Testing.harness.workers import FAKE, entered
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.scene import node_from_volume, put_mask, volume_from_node
from TwoStageSegLib.volume import Volume

from .test_panel import ORGANS


def edit(panel: Any, organ: str = "Brainstem") -> np.ndarray:
    """What a person does in the Segment Editor."""
    volume_node = panel.session.volume_node
    geometry = volume_from_node(volume_node).geometry
    put_mask(panel.session.target, Mask(organ, np.ones((2, 2, 2), bool), (0, 0, 0), geometry), volume_node)
    return panel.voxels(organ)


def test_an_mr_is_refused_where_it_was_chosen(panel: Any, mini: Any) -> None:
    volume = fake_volume()
    mr = Volume(np.clip(volume.voxels + 1000, 0, None), volume.geometry, "MR")
    panel.choose(node_from_volume(mini.scene, mr, "T1"))
    assert "MR" in panel.ui.volumeProblem.text and panel.ui.volumeProblem.visible
    assert not panel.ui.runButton.enabled
    panel.choose(node_from_volume(mini.scene, volume, "CT"))
    assert panel.problems() == ""
    assert panel.ui.runButton.enabled


@pytest.mark.parametrize(
    ("button", "segments", "kept"),
    [
        ("replaceButton", 3, False),
        ("besideButton", 4, True),
        ("keepButton", 3, True),
        ("callOffButton", 3, True),
    ],
)
def test_an_edited_segment_is_asked_about(ready: Any, button: str, segments: int, kept: bool) -> None:
    ready.run()
    mine = edit(ready)
    ready.click(ready.ui.runButton)
    assert not ready.session.busy
    assert ready.ui.questionFrame.visible
    assert "Brainstem: edited since it was made" in ready.ui.questionText.text
    assert not ready.ui.runButton.enabled
    assert np.array_equal(ready.voxels("Brainstem"), mine)
    ready.click(getattr(ready.ui, button))
    ready.finish()
    assert not ready.ui.questionFrame.visible
    assert len(ready.segments()) == segments
    assert np.array_equal(ready.voxels("Brainstem"), mine) is kept
    assert ready.ui.runButton.enabled


def test_a_segmentation_of_the_users_own_keeps_every_voxel(ready: Any, mini: Any) -> None:
    node = segmentation_node(mini.scene)
    ready.ui.targetSelector.setCurrentNode(node)
    mine = edit(ready, "Bladder")
    ready.run()
    assert sorted(ready.segments()) == sorted(["Bladder", *ORGANS])
    assert np.array_equal(ready.voxels("Bladder"), mine)
    ready.click(ready.ui.undoButton)
    assert ready.segments() == ["Bladder"]
    assert np.array_equal(ready.voxels("Bladder"), mine)


def test_what_happens_can_be_chosen_for_each_organ(ready: Any) -> None:
    ready.run()
    mine = edit(ready)
    ready.click(ready.ui.perOrganBox)
    policy = ready.row("Brainstem").policy
    assert policy.visible
    keep = policy.findText("keep mine")
    policy.setCurrentIndex(keep)
    policy.activated.emit(keep)
    ready.run()
    assert not ready.ui.questionFrame.visible
    assert np.array_equal(ready.voxels("Brainstem"), mine)
    assert ready.status("Brainstem").startswith("kept")


def test_the_segment_editor_opens_on_the_chosen_segment(ready: Any, slicer_host: Any) -> None:
    import slicer

    ready.run()
    editor, set_up = slicer.modules.SegmentEditorWidget.editor, {}
    for name in ("setSegmentationNode", "setSourceVolumeNode", "setCurrentSegmentID"):
        type(editor).__dict__.get(name) or setattr(type(editor), name, lambda self, v, n=name: set_up.update({n: v}))
    ready.click(ready.row("Parotid_R").buttons["go"])
    ready.click(ready.ui.editButton)
    assert slicer_host.selected == ["SegmentEditor"]
    assert set_up == {
        "setSegmentationNode": ready.session.target,
        "setSourceVolumeNode": ready.session.volume_node,
        "setCurrentSegmentID": "Parotid_R",
    }


def test_the_keyboard(ready: Any, mini: Any) -> None:
    ready.press("Ctrl+Return")
    ready.finish()
    assert ready.segments() == list(ORGANS)
    assert ready.widget.panel.organs.chosen == "Brainstem"
    ready.press("Alt+Down")
    assert ready.widget.panel.organs.chosen == "Parotid_R"
    ready.press("Alt+Up")
    ready.press("Alt+Up")
    assert ready.widget.panel.organs.chosen == "Parotid_L"
    ready.press("Alt+C")
    assert ready.session.corrections.placing == "Parotid_L"
    ready.exit()
    with pytest.raises(AssertionError, match="nothing in the panel answers"):
        ready.press("Ctrl+Return")  # another module has the keyboard
    ready.enter()


def test_settings_persist(slicer_host: Any, home: Any, scratch: Any, mini: Any) -> None:
    from Testing.harness.panel import open_panel

    write_fake_bundle(home / "models" / "other", "other")
    first = open_panel(slicer_host, worker=FAKE, probe=False)
    names = [e.name for e in first.widget.panel.models._entries]
    chosen = names.index("other")
    first.ui.modelSelector.setCurrentIndex(chosen)
    first.ui.modelSelector.activated.emit(chosen)
    first.ui.deviceSelector.setCurrentIndex(2)
    first.ui.deviceSelector.activated.emit(2)
    first.click(first.ui.autoRerunBox)
    first.close()
    second = open_panel(slicer_host, worker=FAKE, probe=False)
    assert second.session.model.name == "other"
    assert second.session.device == "cpu" and second.ui.deviceSelector.currentIndex == 2
    assert not second.ui.autoRerunBox.checked and not second.session.corrections.auto_rerun
    second.close()


def test_a_damaged_model_says_so_where_it_was_chosen(
    slicer_host: Any, home: Any, scratch: Any, mini: Any, tmp_path: Any
) -> None:
    from Testing.harness.panel import open_panel

    (home / "models" / "fake" / "weights.safetensors").write_bytes(b"damaged")
    opened = open_panel(slicer_host, worker=FAKE, probe=False)
    opened.choose(node_from_volume(mini.scene, fake_volume(), "CT"))
    assert not opened.ui.runButton.enabled
    opened.ui.modelSelector.setCurrentIndex(0)
    opened.ui.modelSelector.activated.emit(0)
    assert "weights.safetensors" in opened.ui.modelProblem.text
    assert str(tmp_path) not in opened.problems()
    opened.close()
    assert entered(tmp_path) == []


def test_a_model_is_added_from_a_file(ready: Any, slicer_host: Any, tmp_path: Any, home: Any) -> None:
    source = write_fake_bundle(tmp_path / "download", "new")
    slicer_host.dialogs.answer(str(source / "manifest.json"))
    ready.click(ready.ui.addModelButton)
    ready.until(lambda: (home / "models" / "new" / "manifest.json").is_file(), 20, "the model is installed")
    ready.finish()
    titles = [ready.ui.modelSelector.itemText(i) for i in range(ready.ui.modelSelector.count)]
    assert len(titles) == 2, ready.problems()
    (source / "weights.safetensors").write_bytes(b"damaged")
    slicer_host.dialogs.answer(str(source / "manifest.json"))
    ready.click(ready.ui.addModelButton)
    ready.process_events(0.3)
    assert "weights.safetensors" in ready.ui.modelProblem.text


def test_the_sample_is_offered_to_sample_data(panel: Any, slicer_host: Any) -> None:
    (offered,) = slicer_host.samples
    assert offered["category"] == "TwoStageSeg"
    nodes = offered["customDownloader"](None)
    assert [n.GetClassName() for n in nodes] == ["vtkMRMLScalarVolumeNode"]


@pytest.mark.parametrize(("missing", "words"), [(["torch"], "torch (200 MB"), (["safetensors"], "safetensors (1 MB)")])
def test_what_is_missing_is_said_and_asked_about(
    slicer_host: Any, home: Any, scratch: Any, mini: Any, missing: list[str], words: str
) -> None:
    from Testing.harness.panel import open_panel
    from TwoStageSegLib.probe import Findings

    opened = open_panel(slicer_host, worker=FAKE, probe=False)
    opened.choose(node_from_volume(mini.scene, fake_volume(), "CT"))
    dependencies = opened.widget.panel.install.dependencies
    dependencies.findings = Findings(missing=missing)
    opened.widget.panel.install.refresh()
    assert words in opened.ui.installText.text and opened.ui.installFrame.visible
    assert not opened.ui.runButton.enabled
    slicer_host.dialogs.answer(False)
    opened.click(opened.ui.installButton)
    assert words in slicer_host.dialogs.texts("confirm")[0]
    assert not dependencies.busy  # nothing without consent
    if missing == ["torch"]:
        slicer_host.dialogs.answer(True)
        opened.click(opened.ui.installButton)
        assert "extension PyTorch" in opened.ui.installProblem.text
    opened.close()

"""A click in a slice view, a drawn box, a dragged one: mouse events through Slicer's own views to the panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.module import node_ids
from Testing.harness.workers import entered

from .test_panel import ORGANS, block

STEM_RAS = (-16.0, -10.0, 147.5)  # the middle of the brainstem's block
AWAY_RAS = (-64.0, -58.0, 147.5)  # nothing near it


@pytest.fixture
def mouse(ready: Any, mini: Any) -> Iterator[Any]:
    """A mouse in an axial slice view of the chosen scan."""
    from Testing.harness.mouse import SliceMouse
    from Testing.harness.sliceshot import SliceShot

    view = SliceShot(mini)
    view.show(ready.session.volume_node)
    made = SliceMouse(view)
    yield made
    made.release()
    view.close()


def redone(panel: Any, tmp_path: Any, organ: str, before: int) -> None:
    """Wait until ``organ`` and nothing else has been segmented again."""
    panel.until(lambda: len(entered(tmp_path)) > before, 20, "the organ is redone")
    panel.finish()
    assert entered(tmp_path)[before:] == [f"segment-{organ}"]


def test_a_click_in_a_view_places_the_centre(ready: Any, mouse: Any, tmp_path: Any) -> None:
    ready.run()
    kept = {organ: ready.voxels(organ) for organ in ORGANS[1:]}
    count = len(entered(tmp_path))
    ready.click(ready.row("Brainstem").buttons["click"])
    assert "click in a slice view" in ready.status("Brainstem")
    mouse.click(AWAY_RAS)
    redone(ready, tmp_path, "Brainstem", count)
    assert ready.status("Brainstem").startswith("your click")
    assert "nothing found there" in ready.status("Brainstem")
    assert np.allclose(ready.box("Brainstem").GetNthControlPointPosition(0), AWAY_RAS, atol=0.5)
    count = len(entered(tmp_path))
    ready.click(ready.row("Brainstem").buttons["click"])
    mouse.click(STEM_RAS)
    redone(ready, tmp_path, "Brainstem", count)
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))
    for organ, voxels in kept.items():
        assert np.array_equal(ready.voxels(organ), voxels)


def test_a_click_before_the_first_run(ready: Any, mouse: Any, tmp_path: Any) -> None:
    ready.click(ready.row("Brainstem").buttons["click"])
    mouse.click(STEM_RAS)
    redone(ready, tmp_path, "Brainstem", entered(tmp_path).index("self_test") + 1 if entered(tmp_path) else 2)
    assert ready.segments() == ["Brainstem"]
    assert "locate" not in entered(tmp_path)


def test_a_box_is_drawn_with_two_clicks(ready: Any, mouse: Any, tmp_path: Any) -> None:
    ready.run()
    count = len(entered(tmp_path))
    ready.click(ready.row("Brainstem").buttons["box"])
    r, a, s = STEM_RAS
    mouse.click((r - 12, a - 12, s))
    ready.process_events(0.5)
    assert not ready.session.busy  # one corner is no box
    mouse.click((r + 12, a + 12, s))
    redone(ready, tmp_path, "Brainstem", count)
    assert ready.status("Brainstem").startswith("your box")
    assert ready.box("Brainstem").IsA("vtkMRMLMarkupsROINode")
    assert ready.voxels("Brainstem").any()


def test_a_point_is_dragged_with_the_mouse(ready: Any, mouse: Any, tmp_path: Any) -> None:
    ready.run()
    ready.click(ready.row("Brainstem").buttons["click"])
    count = len(entered(tmp_path))
    mouse.click(AWAY_RAS)
    redone(ready, tmp_path, "Brainstem", count)
    count = len(entered(tmp_path))
    mouse.drag(AWAY_RAS, STEM_RAS)
    redone(ready, tmp_path, "Brainstem", count)
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))


def test_placing_can_be_called_off(ready: Any, mini: Any) -> None:
    ready.run()
    before = node_ids(mini.scene)
    mode = mini.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    ready.click(ready.row("Brainstem").buttons["box"])
    assert mode.GetCurrentInteractionMode() == mode.Place
    ready.click(ready.row("Brainstem").buttons["box"])
    assert mode.GetCurrentInteractionMode() == mode.ViewTransform
    assert node_ids(mini.scene) == before
    ready.click(ready.row("Brainstem").buttons["click"])
    ready.exit()  # another module is opened
    assert mode.GetCurrentInteractionMode() == mode.ViewTransform
    assert node_ids(mini.scene) == before
    ready.enter()


@pytest.mark.parametrize("kind", ["click", "box"])
def test_outside_the_scan_there_is_a_message_at_the_organ(ready: Any, mini: Any, tmp_path: Any, kind: str) -> None:
    ready.run()
    count = len(entered(tmp_path))
    if kind == "box":
        ready.box("Brainstem").SetCenter(400.0, 0.0, 147.0)
    else:
        ready.click(ready.row("Brainstem").buttons["click"])
        selection = mini.scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
        mini.scene.GetNodeByID(selection.GetActivePlaceNodeID()).AddControlPoint(400.0, 0.0, 147.0)
    ready.process_events(1.0)
    assert "outside the image" in ready.row("Brainstem").problem.text
    assert ready.row("Brainstem").problem.visible
    assert len(entered(tmp_path)) == count
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))
    ready.box("Brainstem").SetCenter(*STEM_RAS) if kind == "box" else ready.box("Brainstem").SetNthControlPointPosition(
        0, *STEM_RAS
    )
    ready.until(lambda: len(entered(tmp_path)) > count)
    ready.finish()
    assert ready.row("Brainstem").problem.text == ""


def test_under_a_parent_transform_everything_stays_together(ready: Any, mini: Any, tmp_path: Any) -> None:
    from Testing.harness.mrml import transformed

    transformed(mini.scene, ready.session.volume_node)  # turned by 90 degrees and shifted by (10, 20, 30)
    ready.run()
    assert np.array_equal(ready.voxels("Brainstem"), block("Brainstem"))
    r, a, s = STEM_RAS
    assert np.allclose(ready.box("Brainstem").GetCenter(), (10 - a, 20 + r, 30 + s), atol=0.6)


def test_a_deleted_box_is_not_missed(ready: Any, mini: Any) -> None:
    ready.run()
    mini.scene.RemoveNode(ready.box("Brainstem"))
    ready.process_events(0.3)
    ready.run()
    assert ready.box("Brainstem") is not None
    assert ready.status("Brainstem").startswith("located")

"""A click and a drag in a slice view reach the markups through Slicer's own code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.scene import node_from_volume
from TwoStageSegLib.volume import Volume


@pytest.fixture
def mouse(mini: Any) -> Iterator[Any]:
    from Testing.harness.mouse import SliceMouse
    from Testing.harness.sliceshot import SliceShot

    geometry = Geometry((40, 64, 64), (-63.0, -63.0, -58.5), (2.0, 2.0, 3.0))
    node = node_from_volume(mini.scene, Volume(np.zeros(geometry.shape_zyx, np.int16), geometry, "CT"), "CT")
    view = SliceShot(mini)
    view.show(node)
    made = SliceMouse(view)
    yield made
    made.release()
    view.close()


def test_a_click_places_a_point_there(mini: Any, mouse: Any) -> None:
    points = mini.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "centre")
    points.CreateDefaultDisplayNodes()
    mode = mini.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    mode.SetPlaceModePersistence(False)
    mini.logics["Markups"].SetActiveList(points)
    mode.SetCurrentInteractionMode(mode.Place)
    mouse.click((20.0, -10.0, 15.0))
    assert points.GetNumberOfDefinedControlPoints() == 1
    assert np.allclose(points.GetNthControlPointPosition(0), (20.0, -10.0, 15.0), atol=0.5)
    assert mode.GetCurrentInteractionMode() == mode.ViewTransform


def test_a_point_is_dragged(mini: Any, mouse: Any) -> None:
    points = mini.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "centre")
    points.CreateDefaultDisplayNodes()
    points.AddControlPoint(20.0, -10.0, 15.0)
    seen: list[str] = []
    points.AddObserver(points.PointStartInteractionEvent, lambda *_: seen.append("start"))
    points.AddObserver(points.PointEndInteractionEvent, lambda *_: seen.append("end"))
    mouse.drag((20.0, -10.0, 15.0), (-12.0, 8.0, 15.0))
    assert np.allclose(points.GetNthControlPointPosition(0), (-12.0, 8.0, 15.0), atol=1.0)
    assert seen == ["start", "end"]


def test_a_box_is_drawn_with_two_clicks_and_dragged_by_its_corner(mini: Any, mouse: Any) -> None:
    box = mini.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Parotid_L")
    box.CreateDefaultDisplayNodes()
    mode = mini.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    mode.SetPlaceModePersistence(False)
    mini.logics["Markups"].SetActiveList(box)
    mode.SetCurrentInteractionMode(mode.Place)
    mouse.click((-20.0, -10.0, 15.0))
    mouse.click((20.0, 30.0, 15.0))
    assert np.allclose(box.GetCenter(), (0.0, 10.0, 15.0), atol=1.0)
    assert np.allclose(box.GetSize()[:2], (40.0, 40.0), atol=1.0)

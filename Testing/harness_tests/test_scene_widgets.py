"""The stand-ins that act on the scene: selectors, place mode, surfaces."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6-Essentials does not start here", exc_type=ImportError)
pytest.importorskip("slicer", reason="slicer-core is not installed")


@pytest.fixture
def box(slicer_host: Any, mini: Any) -> Any:
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLVolumeNode"]
    made.setMRMLScene(mini.scene)
    yield made
    made.setMRMLScene(None)


def add(mini: Any, name: str, kind: str = "vtkMRMLScalarVolumeNode") -> Any:
    return mini.scene.AddNewNodeByClass(kind, name)


def test_without_none_the_first_node_is_chosen(box: Any, mini: Any) -> None:
    got: list[Any] = []
    box.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: got.append(node.GetName() if node else None))
    first = add(mini, "one")
    add(mini, "two")
    assert got == ["one"]
    mini.scene.RemoveNode(first)
    assert got == ["one", "two"]
    box.noneEnabled = True
    assert got == ["one", "two"]
    box.setCurrentNode(None)
    assert got == ["one", "two", None]


def test_filters(box: Any, mini: Any) -> None:
    ct, labels, hidden = add(mini, "ct"), add(mini, "labels", "vtkMRMLLabelMapVolumeNode"), add(mini, "hidden")
    assert box.nodeCount() == 3  # a label map is a volume
    hidden.SetHideFromEditors(True)
    box.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert [box.nodeFromIndex(i) for i in range(box.nodeCount())] == [ct]
    box.hideChildNodeTypes = []
    box.showHidden = True
    assert box.nodeCount() == 3
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.showChildNodeTypes = False
    assert box.nodeCount() == 2
    ct.SetAttribute("Modality", "CT")
    box.addAttribute("vtkMRMLScalarVolumeNode", "Modality", "CT")
    assert box.nodeCount() == 1
    assert labels


def test_a_node_made_by_the_user_is_chosen(box: Any, mini: Any) -> None:
    got: list[str] = []
    box.nodeTypes = ["vtkMRMLSegmentationNode"]
    box.baseName = "Result"
    box.connect("nodeAddedByUser(vtkMRMLNode*)", lambda node: got.append(node.GetName()))
    node = box.addNode()
    assert box.currentNode() is node
    assert box.currentNodeID == node.GetID()
    assert got == ["Result"]


def test_a_new_name_is_shown(box: Any, mini: Any) -> None:
    got: list[str] = []
    box.connect("currentNodeRenamed(QString)", got.append)
    node = add(mini, "one")
    node.SetName("Planning CT")
    assert got == ["Planning CT"]


def test_ticked_nodes(slicer_host: Any, mini: Any) -> None:
    import slicer

    box, changes = slicer.qMRMLCheckableNodeComboBox(), []
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.setMRMLScene(mini.scene)
    box.connect("checkedNodesChanged()", lambda: changes.append(len(box.checkedNodes())))
    one, two = add(mini, "one"), add(mini, "two")
    box.check(two)
    box.check(two)
    box.check(one)
    assert box.checkedNodes() == [one, two]
    assert changes == [1, 2]
    box.setMRMLScene(None)


def test_segments_of_the_chosen_segmentation(slicer_host: Any, mini: Any) -> None:
    import slicer

    selector, got = slicer.qMRMLSegmentSelectorWidget(), []
    selector.setMRMLScene(mini.scene)
    selector.connect("currentSegmentChanged(QString)", got.append)
    node = add(mini, "S", "vtkMRMLSegmentationNode")
    selector.setCurrentNode(node)
    assert selector.currentSegmentID() == ""
    node.GetSegmentation().AddEmptySegment("a", "Larynx")
    node.GetSegmentation().AddEmptySegment("b", "Brainstem")
    assert selector.segmentIDs() == ["a", "b"]
    selector.setCurrentSegmentID("b")
    assert got == ["a", "b"]
    node.GetSegmentation().RemoveSegment("b")
    assert got == ["a", "b", "a"]
    selector.setMRMLScene(None)


def test_place_mode_is_the_scenes(slicer_host: Any, mini: Any) -> None:
    import slicer

    place, got = slicer.qSlicerMarkupsPlaceWidget(), []
    place.setMRMLScene(mini.scene)
    place.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceSingleMarkup
    place.connect("activeMarkupsPlaceModeChanged(bool)", got.append)
    points = add(mini, "centre", "vtkMRMLMarkupsFiducialNode")
    place.setCurrentNode(points)
    assert not place.placeModeEnabled
    place.setPlaceModeEnabled(True)
    mode = mini.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    assert mode.GetCurrentInteractionMode() == mode.Place
    assert place.selectionNode().GetActivePlaceNodeID() == points.GetID()
    mode.SetCurrentInteractionMode(mode.ViewTransform)  # as Escape or a finished click does
    assert not place.placeModeEnabled
    assert got == [True, False]
    place.setMRMLScene(None)


def test_show_3d(slicer_host: Any, mini: Any) -> None:
    import slicer

    button = slicer.qMRMLSegmentationShow3DButton()
    node = add(mini, "S", "vtkMRMLSegmentationNode")
    node.GetSegmentation().AddEmptySegment("a", "Larynx")
    button.setSegmentationNode(node)
    assert not button.checked
    button.click()
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    button.click()
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")

"""Slicer's widgets around segmentations and markups, on the real scene."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from .node_widgets import qMRMLNodeComboBox
from .scene_widgets import qMRMLWidget, qSlicerWidget
from .standin import StandIn, stand_in

_SEGMENT_EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "SegmentsOrderModified")


@stand_in
class qMRMLSegmentSelectorWidget(qMRMLWidget):
    """Chooses a segmentation and one of its segments."""

    _defaults = {"segmentationNodeSelectorVisible": True, "editEnabled": False}

    def __init__(self, parent: Any = None):
        qMRMLWidget.__init__(self, parent)
        self._node_box = qMRMLNodeComboBox(self)
        self._node_box.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._node_box.noneEnabled = True
        self._segment_box = QtWidgets.QComboBox(self)
        self._watched: tuple[Any, list[int]] = (None, [])
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._node_box)
        layout.addWidget(self._segment_box)
        self._node_box.connect("currentNodeChanged(vtkMRMLNode*)", self._node_changed)
        self._segment_box.connect("currentIndexChanged(int)", self._segment_changed)

    def setMRMLScene(self, scene: Any) -> None:
        self._node_box.setMRMLScene(scene)
        qMRMLWidget.setMRMLScene(self, scene)

    def _set_segmentationNodeSelectorVisible(self, visible: bool) -> None:
        self._stored()["segmentationNodeSelectorVisible"] = bool(visible)
        self._node_box.visible = bool(visible)

    def currentNode(self) -> Any:
        return self._node_box.currentNode()

    def currentNodeID(self) -> str:
        return str(self._node_box.currentNodeID)

    def setCurrentNode(self, node: Any) -> None:
        self._node_box.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._node_box.setCurrentNode(node_id)

    def currentSegmentID(self) -> str:
        return str(self._segment_box.currentData or "")

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segment_box.currentIndex = self._segment_box.findData(segment_id)

    def segmentIDs(self) -> list[str]:
        node = self.currentNode()
        return [] if node is None else list(node.GetSegmentation().GetSegmentIDs())

    def _node_changed(self, node: Any) -> None:
        watched, tags = self._watched
        for tag in tags:
            watched.RemoveObserver(tag)
        segmentation = None if node is None else node.GetSegmentation()
        tags = (
            []
            if segmentation is None
            else [segmentation.AddObserver(getattr(segmentation, name), self._refill) for name in _SEGMENT_EVENTS]
        )
        self._watched = (segmentation, tags)
        self._refill()
        self._emit("currentNodeChanged(vtkMRMLNode*)", node)
        self._emit("currentNodeChanged(bool)", node is not None)

    def _refill(self, *_: Any) -> None:
        before = self.currentSegmentID()
        self._segment_box.blockSignals(True)
        self._segment_box.clear()
        if self.noneEnabled:
            self._segment_box.addItem("None", "")
        for segment_id in self.segmentIDs():
            name = self.currentNode().GetSegmentation().GetSegment(segment_id).GetName()
            self._segment_box.addItem(name, segment_id)
        self._segment_box.currentIndex = max(self._segment_box.findData(before), 0)
        self._segment_box.blockSignals(False)
        if self.currentSegmentID() != before:
            self._segment_changed()

    def _segment_changed(self, *_: Any) -> None:
        self._emit("currentSegmentChanged(QString)", self.currentSegmentID())


@stand_in
class qMRMLSegmentationShow3DButton(StandIn, QtWidgets.QPushButton):
    """Makes the surfaces of a segmentation and takes them away again."""

    _node: Any = None

    def __init__(self, parent: Any = None):
        QtWidgets.QPushButton.__init__(self, "Show 3D", parent)
        self.checkable = True
        self.connect("toggled(bool)", self._toggled)

    def setSegmentationNode(self, node: Any) -> None:
        self._node = node
        self.blockSignals(True)
        self.checked = node is not None and node.GetSegmentation().ContainsRepresentation("Closed surface")
        self.blockSignals(False)

    def segmentationNode(self) -> Any:
        return self._node

    def _toggled(self, shown: bool) -> None:
        if self._node is None:
            return
        if shown:
            self._node.CreateClosedSurfaceRepresentation()
        else:
            self._node.RemoveClosedSurfaceRepresentation()


@stand_in
class qSlicerMarkupsPlaceWidget(qSlicerWidget):
    """Puts the views into the mode in which the next click places a point of its node."""

    PlaceSingleMarkup, PlaceMultipleMarkups, ForcePlaceSingleMarkup, ForcePlaceMultipleMarkups = range(4)
    _defaults = {"buttonsVisible": True, "deleteAllControlPointsOptionVisible": True}

    def __init__(self, parent: Any = None):
        qSlicerWidget.__init__(self, parent)
        self._node: Any = None
        self._tags: list[int] = []
        self._was_placing = False
        self._button = QtWidgets.QToolButton(self)
        self._button.text = "Place"

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        if self._scene is not None and (mode := self.interactionNode()) is not None:
            for tag in self._tags:
                mode.RemoveObserver(tag)
        qSlicerWidget.setMRMLScene(self, scene)
        self._tags = []
        if scene is not None and (mode := self.interactionNode()) is not None:
            self._tags = [mode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._mode_changed)]

    def interactionNode(self) -> Any:
        return None if self._scene is None else self._scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")

    def selectionNode(self) -> Any:
        return None if self._scene is None else self._scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")

    def placeButton(self) -> Any:
        return self._button

    def currentNode(self) -> Any:
        return self._node

    currentMarkupsNode = currentNode

    def setCurrentNode(self, node: Any) -> None:
        if node is not self._node and self.placeModeEnabled:
            self.placeModeEnabled = False
        self._node = node

    def _get_placeModeEnabled(self) -> bool:
        mode = self.interactionNode()
        return bool(self._get_currentNodeActive() and mode.GetCurrentInteractionMode() == mode.Place)

    def _set_placeModeEnabled(self, place: bool) -> None:
        mode = self.interactionNode()
        if mode is None or self._node is None:
            return
        if not place:
            mode.SetCurrentInteractionMode(mode.ViewTransform)
            return
        slicer.modules.markups.logic().SetActiveList(self._node)
        mode.SetPlaceModePersistence(int(self.placeMultipleMarkups or 0) in (1, 3))
        mode.SetCurrentInteractionMode(mode.Place)
        self._mode_changed()

    def _get_currentNodeActive(self) -> bool:
        selection = self.selectionNode()
        return bool(self._node and selection and selection.GetActivePlaceNodeID() == self._node.GetID())

    def _set_currentNodeActive(self, active: bool) -> None:
        if self._node is not None and active:
            slicer.modules.markups.logic().SetActiveList(self._node)

    def _mode_changed(self, *_: Any) -> None:
        placing = self._get_placeModeEnabled()
        if placing != self._was_placing:
            self._was_placing = placing
            self._emit("activeMarkupsPlaceModeChanged(bool)", placing)

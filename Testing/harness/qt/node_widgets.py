"""Slicer's widgets that choose a node, on the real scene."""

from __future__ import annotations

from typing import Any

import shiboken6
import vtk
from PySide6 import QtCore, QtWidgets

from .standin import StandIn, stand_in

_NODE = int(QtCore.Qt.ItemDataRole.UserRole)


@stand_in
class qMRMLNodeComboBox(StandIn, QtWidgets.QWidget):
    """Chooses a node among those of the scene that pass the filters."""

    _defaults = {
        "showChildNodeTypes": True,
        "noneEnabled": False,
        "addEnabled": True,
        "removeEnabled": True,
        "selectNodeUponCreation": True,
        "noneDisplay": "None",
    }
    _refiltering = ("nodeTypes", "showHidden", "showChildNodeTypes", "hideChildNodeTypes", "noneEnabled", "noneDisplay")
    _scene: Any = None

    def __init__(self, parent: Any = None):
        QtWidgets.QWidget.__init__(self, parent)
        self._observed: list[tuple[Any, int]] = []
        self._named: list[tuple[Any, int]] = []
        self._nodes: list[Any] = []
        self._attributes: dict[tuple[str, str], Any] = {}
        self._shown: Any = None
        self._combo = QtWidgets.QComboBox(self)
        self._combo.setMinimumContentsLength(10)
        self._combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._combo.connect("currentIndexChanged(int)", self._announce)

    # the scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._stop_watching()
        self._scene = scene
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndBatchProcessEvent)
            self._observed = [(scene, scene.AddObserver(event, self._scene_changed)) for event in events]
        self._refresh()

    def mrmlScene(self) -> Any:
        return self._scene

    def _stop_watching(self) -> None:
        for target, tag in self._observed:
            target.RemoveObserver(tag)
        self._observed = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _scene_changed(self, scene: Any, event: str, node: Any = None) -> None:
        if not shiboken6.isValid(self):  # Qt has deleted the widget, as it does with its parent
            self._stop_watching()
        if not shiboken6.isValid(self) or scene.IsBatchProcessing():
            return
        before = list(self._nodes)
        self._refresh()
        for node_ in self._nodes:
            if node_ not in before:
                self._emit("nodeAdded(vtkMRMLNode*)", node_)

    # what is offered

    def _write(self, name: str, value: Any) -> None:
        super()._write(name, value)
        if name in self._refiltering:
            self._refresh()

    def addAttribute(self, node_type: str, attribute: str, value: Any = None) -> None:
        self._attributes[node_type, attribute] = value
        self._refresh()

    def removeAttribute(self, node_type: str, attribute: str) -> None:
        self._attributes.pop((node_type, attribute), None)
        self._refresh()

    def _offered(self, node: Any) -> bool:
        kinds = [k for k in self.nodeTypes if node.IsA(k)]
        if not kinds or (node.GetHideFromEditors() and not self.showHidden):
            return False
        if not self.showChildNodeTypes and node.GetClassName() not in self.nodeTypes:
            return False
        if any(node.IsA(kind) for kind in self.hideChildNodeTypes):
            return False
        for (kind, attribute), value in self._attributes.items():
            said = node.GetAttribute(attribute) if node.IsA(kind) else ""
            if said is None or (value is not None and node.IsA(kind) and said != str(value)):
                return False
        return True

    def _refresh(self) -> None:
        """Fill the list again; as in Slicer the first node is chosen if there is no "None" to choose."""
        current = self._shown
        every = (
            [] if self._scene is None else [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        )
        self._nodes = [node for node in every if self._offered(node)]
        self._combo.blockSignals(True)
        self._combo.clear()
        if self.noneEnabled:
            self._combo.addItem(self.noneDisplay, "")
        for node in self._nodes:
            self._combo.addItem(node.GetName() or "", node.GetID())
        if current in self._nodes:
            self._combo.currentIndex = self._combo.findData(current.GetID(), _NODE)
        elif self._combo.count:
            self._combo.currentIndex = 0
        self._combo.blockSignals(False)
        self._announce()

        for node, tag in self._named:
            node.RemoveObserver(tag)
        event = vtk.vtkCommand.ModifiedEvent
        self._named = [(node, node.AddObserver(event, self._node_modified)) for node in self._nodes]

    def _node_modified(self, node: Any, event: str) -> None:
        if not shiboken6.isValid(self):
            return
        index = self._combo.findData(node.GetID(), _NODE)
        if index >= 0 and self._combo.itemText(index) != node.GetName():
            self._combo.setItemText(index, node.GetName())
            if node is self.currentNode():
                self._emit("currentNodeRenamed(QString)", node.GetName())

    def _announce(self) -> None:
        node = self.currentNode()
        if node is self._shown:
            return
        self._shown = node
        self._emit("currentNodeChanged(vtkMRMLNode*)", node)
        self._emit("currentNodeChanged(bool)", node is not None)
        self._emit("currentNodeIDChanged(QString)", self.currentNodeID)

    # the choice

    def currentNode(self) -> Any:
        node_id = self._combo.currentData
        return self._scene.GetNodeByID(node_id) if node_id and self._scene is not None else None

    def setCurrentNode(self, node: Any) -> None:
        node_id = node if isinstance(node, str) else "" if node is None else node.GetID()
        if node is not None and not isinstance(node, str) and node not in self._nodes:
            self._refresh()
        self._combo.currentIndex = self._combo.findData(node_id or "", _NODE)

    def _get_currentNodeID(self) -> str:
        return str(self._combo.currentData or "")

    _get_currentNodeId = _get_currentNodeID

    def _set_currentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(node_id or "")

    _set_currentNodeId = _set_currentNodeID

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self._nodes[index])

    def nodeCount(self) -> int:
        return len(self._nodes)

    def nodeFromIndex(self, index: int) -> Any:
        return self._nodes[index]

    def addNode(self, node_type: str = "") -> Any:
        kind = node_type or self.nodeTypes[0]
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(self.baseName or kind[7:-4]))
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self._emit("nodeAddedByUser(vtkMRMLNode*)", node)
        return node

    def removeCurrentNode(self) -> None:
        if (node := self.currentNode()) is not None:
            self._emit("nodeAboutToBeRemoved(vtkMRMLNode*)", node)
            self._scene.RemoveNode(node)


@stand_in
class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Ticks any number of nodes."""

    def __init__(self, parent: Any = None):
        super().__init__(parent)
        self._ticked: list[Any] = []

    def check(self, node: Any) -> None:
        self.setCheckState(node, QtCore.Qt.CheckState.Checked)

    def uncheck(self, node: Any) -> None:
        self.setCheckState(node, QtCore.Qt.CheckState.Unchecked)

    def setCheckState(self, node: Any, state: Any) -> None:
        without = [n for n in self._ticked if n is not node]
        after = [*without, node] if state == QtCore.Qt.CheckState.Checked else without
        if after != self._ticked:
            self._ticked = after
            self._emit("checkedNodesChanged()")

    def checkedNodes(self) -> list[Any]:
        return [n for n in self._nodes if n in self._ticked]

    def uncheckedNodes(self) -> list[Any]:
        return [n for n in self._nodes if n not in self._ticked]

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

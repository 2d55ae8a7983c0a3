"""Slicer's widgets that hand the scene on to what is in them."""

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets

from .standin import StandIn, stand_in


@stand_in
class qMRMLWidget(StandIn, QtWidgets.QWidget):
    """A widget that hands the scene on."""

    _scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._emit("mrmlSceneChanged(vtkMRMLScene*)", scene)

    def mrmlScene(self) -> Any:
        return self._scene


@stand_in
class qSlicerWidget(StandIn, QtWidgets.QWidget):
    """The same under another name; only its setter is shown."""

    _scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._emit("mrmlSceneChanged(vtkMRMLScene*)", scene)

"""The base classes of a scripted module, and translation: what Slicer's own package brings and slicer-core does not."""

from __future__ import annotations

import importlib
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
from PySide6 import QtGui, QtWidgets

from .errors import NotInSlicerError
from .standin import StandIn, stand_in

_MODULE_PROPERTIES = {
    "title", "categories", "category", "contributors", "associatedNodeTypes", "helpText", "acknowledgementText",
    "extensions", "icon", "hidden", "dependencies", "index", "name", "path", "widgetRepresentationCreationEnabled",
}  # fmt: skip


class ModuleParent:
    """The C++ module object (qSlicerScriptedLoadableModule) that a module class describes itself to."""

    def __init__(self, name: str, path: Path):
        self.name, self.path = name, str(path)
        self._widget: Any = None

    def __setattr__(self, key: str, value: Any) -> None:
        if key not in _MODULE_PROPERTIES and not key.startswith("_"):
            raise NotInSlicerError(f"a module has no property {key!r}")
        super().__setattr__(key, value)

    def widgetRepresentation(self) -> Any:
        return self._widget

    def logic(self) -> None:
        """A scripted module's logic lives in Python; C++ has none."""


@stand_in
class qSlicerScriptedLoadableModuleWidget(StandIn, QtWidgets.QWidget):
    """The panel's outer widget, made by the application."""

    _scene: Any = None
    _module_name = ""
    _entered = False

    def _get_isEntered(self) -> bool:
        return self._entered

    def _get_moduleName(self) -> str:
        return self._module_name

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self._emit("mrmlSceneChanged(vtkMRMLScene*)", scene)

    def self(self) -> Any:
        return getattr(slicer.modules, f"{self._module_name}Widget")


class ScriptedLoadableModule:
    """Base of ``X``: what the application knows of a module before its panel is opened."""

    def __init__(self, parent: Any):
        super().__init__()
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title, parent.helpText, parent.acknowledgementText = "", "", ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        for suffix in (".svg", ".png"):
            icon = Path(parent.path).parent / "Resources" / "Icons" / (self.moduleName + suffix)
            if icon.is_file():
                parent.icon = QtGui.QIcon(str(icon))
                break

    def resourcePath(self, name: str) -> str:
        return str(Path(self.parent.path).parent / "Resources" / name)

    def getDefaultModuleDocumentationLink(self, docPage: Any = None) -> str:
        url = (
            slicer.app.documentationBaseUrl + docPage if docPage else slicer.app.moduleDocumentationUrl(self.moduleName)
        )
        return f'<p>See the <a href="{url}">documentation</a>.</p>'

    def runTest(self, msec: int = 100, **arguments: Any) -> None:
        case = getattr(importlib.import_module(type(self).__module__), f"{self.moduleName}Test")()
        case.messageDelay = msec
        case.runTest(**arguments)


class ScriptedLoadableModuleWidget:
    """Base of ``XWidget``: the panel."""

    def __init__(self, parent: Any = None):
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        if parent is None:
            parent = slicer.qMRMLWidget()
            parent.setLayout(QtWidgets.QVBoxLayout())
            parent.setMRMLScene(slicer.mrmlScene)
        self.parent = parent
        self.layout = parent.layout()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._unloaded)

    def _unloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()

    def resourcePath(self, name: str) -> str:
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / name)

    def setup(self) -> None:
        self.setupDeveloperSection()

    def setupDeveloperSection(self) -> None:
        """Reload buttons; only in developer mode, which the harness leaves off."""

    def cleanup(self) -> None:
        """For the module."""

    def onReload(self) -> None:
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    """Base of ``XLogic``: the parameter node."""

    def __init__(self, parent: Any = None):
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                node.SetAttribute("ModuleName", self.moduleName)
                return node
        elif self.getAllParameterNodes():
            return self.getAllParameterNodes()[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [n for n in nodes if n.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of ``XTest``."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self.messageDelay = 0

    def delayDisplay(self, message: str, requestedDelay: Any = None, msec: Any = None) -> None:
        slicer.util.delayDisplay(message, 0)

    def runTest(self) -> None:
        """For the module."""


def i18n() -> SimpleNamespace:
    """``slicer.i18n`` without a translation loaded: texts come back as they are."""

    def checked(*texts: Any) -> str:
        if not all(isinstance(t, str) for t in texts):
            raise TypeError(f"only a text can be translated, not {texts!r}")
        return str(texts[-1])

    return SimpleNamespace(
        tr=lambda text: checked(text),
        translate=lambda context, text: checked(context, text),
        getContext=lambda path: Path(path).stem,
    )

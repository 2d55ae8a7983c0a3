"""``slicer.app`` and the little of ``slicer.modules`` that a panel uses."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import api, connections
from .dialogs import Dialogs
from .errors import HarnessGapError, NotInSlicerError
from .standin import stand_in_for

# Of qSlicerCoreApplication and QApplication, which the fact table does not cover: what Slicer's own scripts use.
_CORE = {
    "applicationLogic", "mrmlScene", "processEvents", "settings", "userSettings", "testingEnabled", "moduleManager",
    "applicationName", "applicationVersion", "majorVersion", "minorVersion", "revision", "os", "arch",
    "temporaryPath", "defaultTemporaryPath", "slicerHome", "cachePath", "extensionsInstallPath", "isInstalled",
    "slicerUserSettingsFilePath", "setOverrideCursor", "restoreOverrideCursor", "restart", "exit", "quit",
    "pythonManager", "coreIOManager", "applicationUpdateManager", "extensionsManagerModel", "documentationBaseUrl",
    "moduleDocumentationUrl", "clipboard", "keyboardModifiers", "focusWidget", "palette", "startupEnvironment",
    "aboutToQuit", "isClosing", "activeModalWidget", "instance", "styleSheet", "desktop", "font", "style",
}  # fmt: skip
_SIGNALS = {"startupCompleted()", "aboutToQuit()", "lastWindowClosed()", "mrmlSceneChanged(vtkMRMLScene*)"}


class Application:
    """``slicer.app``: a running application without a main window."""

    applicationName = "Slicer"
    applicationVersion = "5.10.0"
    majorVersion, minorVersion, revision = 5, 10, "34045"
    os, arch = "linux", "amd64"
    documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"

    def __init__(self, app_logic: Any, scene: Any, folder: Path):
        self._app_logic, self._scene, self._folder = app_logic, scene, folder
        self._receivers = connections.Receivers()
        self._manager = ModuleManager()
        self.temporaryPath = str(folder)
        self.slicerHome = str(folder)

    def __getattr__(self, name: str) -> Any:
        have = api.members("qSlicerApplication")
        if name in _CORE or name in have.methods or name in have.properties:
            raise HarnessGapError(f"slicer.app.{name} exists in Slicer; this harness does not play it yet")
        raise NotInSlicerError(f"slicer.app has no {name!r}")

    def connect(self, signal: str, slot: Any) -> bool:
        signature = connections.normalised(signal)
        if signature not in _SIGNALS and signature not in api.members("qSlicerApplication").signals:
            raise NotInSlicerError(f"slicer.app has no signal {signal!r}")
        self._receivers.add(signature, slot, connections.dropping(slot))
        return True

    def disconnect(self, signal: str, slot: Any = None) -> bool:
        return bool(self._receivers.take(connections.normalised(signal), slot))

    def _emit(self, signature: str) -> None:
        for _, handle in list(self._receivers.slots.get(signature, [])):
            handle()

    def applicationLogic(self) -> Any:
        return self._app_logic

    def mrmlScene(self) -> Any:
        return self._scene

    def moduleManager(self) -> Any:
        return self._manager

    def layoutManager(self) -> None:
        """None: as in Slicer started without a main window."""

    def settings(self) -> Any:
        return QtCore.QSettings()

    userSettings = settings

    def testingEnabled(self) -> bool:
        """False: a module shall behave as it does for a person."""
        return False

    def commandOptions(self) -> Any:
        return SimpleNamespace(testingEnabled=False, noMainWindow=True)

    def processEvents(self, *_: Any) -> None:
        QtWidgets.QApplication.processEvents()

    def setOverrideCursor(self, cursor: Any) -> None:
        QtGui.QGuiApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtGui.QGuiApplication.restoreOverrideCursor()

    def clipboard(self) -> Any:
        return QtGui.QGuiApplication.clipboard()

    def palette(self) -> Any:
        return QtGui.QGuiApplication.palette()

    def style(self) -> Any:
        return QtWidgets.QApplication.style()

    def focusWidget(self) -> Any:
        return QtWidgets.QApplication.focusWidget()

    def keyboardModifiers(self) -> Any:
        return QtGui.QGuiApplication.keyboardModifiers()

    def pauseRender(self) -> None:
        """Nothing is rendered."""

    resumeRender = pauseRender

    def moduleDocumentationUrl(self, module: str) -> str:
        return f"{self.documentationBaseUrl}user_guide/modules/{module.lower()}.html"


class ModuleManager:
    """``slicer.app.moduleManager()``."""

    def __init__(self) -> None:
        self._receivers = connections.Receivers()
        self._modules: dict[str, Any] = {}

    def connect(self, signal: str, slot: Any) -> bool:
        if signal not in ("moduleAboutToBeUnloaded(QString)", "moduleLoaded(QString)", "moduleUnloaded(QString)"):
            raise NotInSlicerError(f"the module manager has no signal {signal!r}")
        self._receivers.add(signal, slot, connections.dropping(slot))
        return True

    def disconnect(self, signal: str, slot: Any = None) -> bool:
        return bool(self._receivers.take(signal, slot))

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def isLoaded(self, name: str) -> bool:
        return name in self._modules


def segment_editor(scene: Any) -> SimpleNamespace:
    """``slicer.modules.segmenteditor``: its widget holds the ``editor`` that other modules set up."""
    editor = stand_in_for("qMRMLSegmentEditorWidget")()
    widget = SimpleNamespace(editor=editor, parameterSetNode=None)
    widget.selectParameterNode = lambda: None
    representation = SimpleNamespace(self=lambda: widget)
    return SimpleNamespace(widgetRepresentation=lambda: representation, widget=lambda: representation)


def sample_data(offered: list[dict[str, Any]]) -> ModuleType:
    """The module ``SampleData``: ``offered`` gets the keywords of every registered source."""
    module = ModuleType("SampleData")
    allowed = {
        "category", "sampleName", "uris", "fileNames", "nodeNames", "customDownloader", "thumbnailFileName",
        "loadFileType", "loadFiles", "loadFileProperties", "checksums",
    }  # fmt: skip

    def register(**keywords: Any) -> None:
        if not keywords.keys() <= allowed:
            raise TypeError(f"registerCustomSampleDataSource has no {sorted(keywords.keys() - allowed)}")
        offered.append(keywords)

    module.__dict__["SampleDataLogic"] = SimpleNamespace(registerCustomSampleDataSource=register)
    return module


class Qt:
    """The one QApplication of this process, its settings in a folder of their own while the harness is up."""

    def __init__(self, folder: Path):
        self.dialogs = Dialogs()
        self._app = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        self._app.setOrganizationName("NA-MIC")
        self._app.setApplicationName("Slicer")
        self._app.setStyle("Fusion")
        self._app.setQuitOnLastWindowClosed(False)
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(
            QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder / "settings")
        )


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="slicer-harness-")

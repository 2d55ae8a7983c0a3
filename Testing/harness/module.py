"""Opens a scripted module as Slicer would, works it as a user would, looks at it, closes it and checks what is left."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .minislicer import MiniSlicer
from .qt.host import SlicerHost
from .qt.scripted import ModuleParent, qSlicerScriptedLoadableModuleWidget

ROOT = Path(__file__).resolve().parent.parent.parent
PANEL_PX = 420


class OpenModule:
    """A module whose panel is open.

    ``widget`` is the module's own widget object, ``ui`` the names of its ``.ui`` file if it keeps them there as
    Slicer's template does, ``panel`` the outer Qt widget.
    """

    def __init__(self, host: SlicerHost, path: Path, prepare: Callable[[], None] | None = None):
        self.host, self.path, self.name = host, path, path.stem
        self._children = child_processes()
        self.python = _load(host, path)
        if prepare is not None:
            prepare()
        self.parent = ModuleParent(self.name, path)
        self.module = getattr(self.python, self.name)(self.parent)
        host.set_attribute(slicer.modules, self.name.lower(), self.parent)
        slicer.modules.__dict__[f"{self.name}Instance"] = self.module
        host.app._emit("startupCompleted()")
        self.panel = self._outer()
        self.widget = getattr(self.python, f"{self.name}Widget")(self.panel)
        slicer.modules.__dict__[f"{self.name}Widget"] = self.widget
        self.parent._widget = self.panel
        self.widget.setup()
        self.panel.resize(PANEL_PX, 900)
        self._scroll.show()
        self.enter()

    @property
    def ui(self) -> Any:
        return self.widget.ui

    def enter(self) -> None:
        """The user switches to the module."""
        self.panel._entered = True
        if hasattr(self.widget, "enter"):
            self.widget.enter()
        self.process_events()

    def exit(self) -> None:
        """The user switches to another module."""
        self.panel._entered = False
        if hasattr(self.widget, "exit"):
            self.widget.exit()
        self.process_events()

    # what a user does

    def process_events(self, seconds: float = 0.0) -> None:
        """Let Qt work for a while; fails if something was raised in a slot."""
        self.until(lambda: True, 0.0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.until(lambda: True, 0.0)
            time.sleep(0.005)

    def until(self, condition: Callable[[], Any], timeout_s: float = 60.0, what: str = "") -> None:
        """Let Qt work until ``condition`` holds; fails after ``timeout_s``."""
        end = time.monotonic() + timeout_s
        while True:
            QtWidgets.QApplication.processEvents()
            self.host.raise_failures()
            if condition():
                return
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout_s:g} s: {what or 'the condition'}")
            time.sleep(0.005)

    def click(self, button: Any) -> None:
        """Click a button; fails if a user could not."""
        if not button.enabled:
            raise AssertionError(f"{button.objectName or button.text!r} is disabled")
        if not QtWidgets.QWidget.isVisibleTo(button, self.panel):
            raise AssertionError(f"{button.objectName or button.text!r} is hidden")
        button.click()
        self.process_events()

    def press(self, keys: str, target: Any = None) -> None:
        """Press a key sequence such as ``Ctrl+Z``: shortcuts of the panel are triggered by it."""
        wanted = QtGui.QKeySequence(keys)
        for shortcut in self.panel.findChildren(QtGui.QShortcut):
            if wanted in QtGui.QShortcut.keys(shortcut) and shortcut.enabled:
                shortcut.activated.emit()
                return self.process_events()
        for action in self.panel.findChildren(QtGui.QAction):
            if QtGui.QAction.shortcut(action) == wanted and action.enabled:
                action.trigger()
                return self.process_events()
        raise AssertionError(f"nothing in the panel answers to {keys}")

    # looking

    def picture(self, file: Path, width: int = PANEL_PX, scale: float = 1.0, height: int = 0) -> Path:
        """The panel as PNG, ``width`` device-independent pixels wide, whole (unless ``height`` is given)."""
        self.panel.resize(width, height or self._natural_height(width))
        self.process_events()
        size = QtWidgets.QWidget.size(self.panel)
        image = QtGui.QImage(size * scale, QtGui.QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(scale)
        image.fill(QtGui.QGuiApplication.palette().window().color())
        self.panel.render(image)
        if not image.save(str(file)):
            raise OSError(f"{file.name} could not be written")
        return file

    def minimum_width(self) -> int:
        """What the panel needs at least; a wider value than the dock makes Slicer's panel scroll sideways."""
        return int(QtWidgets.QWidget.minimumSizeHint(self.panel).width())

    # the end

    def close(self) -> None:
        """What Slicer does at its end or before it reloads the module; fails if a process is left."""
        if self.panel._entered:
            self.exit()
        self.widget.cleanup()
        self.host.raise_failures()
        self.until(lambda: child_processes() <= self._children, 10.0, "the module's child processes end")
        for child in self.panel.findChildren(QtWidgets.QWidget):
            if hasattr(child, "_scene"):
                child.setMRMLScene(None)
        self._scroll.hide()
        self._scroll.deleteLater()
        QtWidgets.QApplication.sendPostedEvents(None, int(QtCore.QEvent.Type.DeferredDelete))
        self.process_events()

    def _outer(self) -> Any:
        panel = qSlicerScriptedLoadableModuleWidget()
        panel._module_name = self.name
        panel.setLayout(QtWidgets.QVBoxLayout())
        panel.setMRMLScene(self.host.mini.scene)
        self._scroll = QtWidgets.QScrollArea()
        self._scroll.widgetResizable = False
        self._scroll.setWidget(panel)
        return panel

    def _natural_height(self, width: int) -> int:
        hint = QtWidgets.QWidget.sizeHint(self.panel).height()
        layout = self.panel.layout()
        return max(int(layout.heightForWidth(width)) if layout.hasHeightForWidth() else hint, 200)


def open_module(
    host: SlicerHost,
    path: Path = ROOT / "TwoStageSeg" / "TwoStageSeg.py",
    prepare: Callable[[], None] | None = None,
) -> OpenModule:
    """Load a module by its file, make its panel and enter it; ``prepare`` is called when the file has been imported."""
    return OpenModule(host, path, prepare)


def start_slicer(mini: MiniSlicer) -> SlicerHost:
    """The application, without a module."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return SlicerHost(mini)


def child_processes() -> set[int]:
    """IDs of this process's children that still run."""
    found: set[int] = set()
    for tasks in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, tasks.read_text().split()):
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
    return found


def node_ids(scene: Any) -> set[str]:
    """IDs of every node in the scene, to compare before and after."""
    return {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}


def _load(host: SlicerHost, path: Path) -> Any:
    """Import a module's file as Slicer does: by path, under its bare name, its folder on ``sys.path``."""
    sys.path.append(str(path.parent))
    host.forget_modules_of(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    host.provide_module(path.stem, module)
    spec.loader.exec_module(module)
    return module

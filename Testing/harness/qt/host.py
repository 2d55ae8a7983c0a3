"""The running application: puts ``qt``, ``ctk`` and the missing parts of ``slicer`` in place, and takes them away."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any

import slicer

from ..minislicer import MiniSlicer
from . import api, bridge, ctk_widgets, node_widgets, plot_widgets, scene_widgets, scripted, segment_widgets, util
from .application import Application, Qt, sample_data, scratch_folder, segment_editor
from .modules import CtkModule, QtModule
from .standin import stand_in_for

# importing them registers their classes
_STAND_INS = (ctk_widgets, scene_widgets, node_widgets, plot_widgets, segment_widgets)
_GONE = object()


class SlicerHost:
    """Slicer without its main window, until ``close``.

    ``dialogs`` records messages and answers questions, ``selected`` lists the modules that were switched to,
    ``statuses`` the messages of the status bar, ``samples`` what was offered to Sample Data, ``failures`` every
    exception that was raised in a slot, a timer, an observer or an overridden Qt method: nobody above can catch those.
    """

    def __init__(self, mini: MiniSlicer):
        bridge.install()
        self.mini = mini
        self._scratch = scratch_folder()
        self.folder = Path(self._scratch.name)
        self.qt = Qt(self.folder)
        self.dialogs = self.qt.dialogs
        self.app = Application(mini.app_logic, mini.scene, self.folder)
        self.selected: list[str] = []
        self.statuses: list[str] = []
        self.failures: list[str] = []
        self.samples: list[dict[str, Any]] = []
        self._closed = False
        self._before: list[tuple[Any, str, Any]] = []
        self._modules_before: dict[str, Any] = {}
        self._folders: list[Path] = []
        self._path_before = list(sys.path)
        self._excepthook, self._unraisablehook = sys.excepthook, sys.unraisablehook
        self._put_in_place()

    def raise_failures(self) -> None:
        """Fail the test if something went wrong where nobody could catch it."""
        if self.failures:
            found, self.failures = self.failures, []
            raise AssertionError("raised in a slot, timer or observer:\n" + "\n".join(found))

    def close(self) -> None:
        """Put everything back as it was found. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        sys.excepthook, sys.unraisablehook = self._excepthook, self._unraisablehook
        bridge.modal = None
        self.dialogs.hand_back()
        for owner, name, value in reversed(self._before):
            if value is _GONE:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        for name, module in self._modules_before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and any(folder in Path(file).parents for folder in self._folders):
                del sys.modules[name]
        sys.path[:] = self._path_before
        self._scratch.cleanup()

    def provide_module(self, name: str, module: Any) -> None:
        """Make ``import name`` find ``module`` until ``close``."""
        self._modules_before.setdefault(name, sys.modules.get(name))
        sys.modules[name] = module

    def forget_modules_of(self, folder: Path) -> None:
        """On ``close``, everything that was imported from this folder is imported anew next time."""
        self._folders.append(folder)

    def __enter__(self) -> SlicerHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_attribute(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute until ``close``."""
        self._before.append((owner, name, owner.__dict__.get(name, _GONE)))
        setattr(owner, name, value)

    def _put_in_place(self) -> None:
        sys.excepthook = self._failed
        sys.unraisablehook = lambda raised: self._failed(raised.exc_type, raised.exc_value, raised.exc_traceback)
        bridge.modal = self.dialogs.executed
        self.dialogs.take_over()
        real = importlib.import_module("slicer.util")
        for name, function in util.overrides(self.dialogs, self.selected, self.statuses).items():
            self.set_attribute(real, name, function)
        self.set_attribute(real, "modulePath", lambda name: getattr(slicer.modules, name.lower()).path)
        strict = util.StrictUtil(real)
        self.set_attribute(slicer, "util", strict)
        self.set_attribute(slicer, "app", self.app)
        self.set_attribute(slicer, "modules", SimpleNamespace(**vars(slicer.modules)))
        slicer.modules.segmenteditor = segment_editor(self.mini.scene)
        slicer.modules.SegmentEditorWidget = slicer.modules.segmenteditor.widget().self()
        translation = ModuleType("slicer.i18n")
        translation.__dict__.update(vars(scripted.i18n()))
        base = ModuleType("slicer.ScriptedLoadableModule")
        base.__dict__.update({n: v for n, v in vars(scripted).items() if n.startswith("ScriptedLoadableModule")})
        base.__dict__["__all__"] = [n for n in vars(base) if n.startswith("ScriptedLoadableModule")]
        for name, module in {
            "qt": QtModule("qt"),
            "ctk": CtkModule("ctk"),
            "slicer.util": strict,
            "slicer.i18n": translation,
            "slicer.ScriptedLoadableModule": base,
            "SampleData": sample_data(self.samples),
        }.items():
            self.provide_module(name, module)
            if name.startswith("slicer.") and name != "slicer.util":
                self.set_attribute(slicer, name.removeprefix("slicer."), module)
        for name in (*api.classes("qMRML"), *api.classes("qSlicer")):
            if "QWidget" in api.chain(name):
                self.set_attribute(slicer, name, stand_in_for(name))

    def _failed(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        self.failures.append("".join(traceback.format_exception(kind, error, trace)))

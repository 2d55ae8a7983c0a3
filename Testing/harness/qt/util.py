"""``slicer.util`` as Slicer 5.10 has it: the real functions; no name that is not public there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType, TracebackType
from typing import Any

from PySide6 import QtWidgets

from . import api
from .dialogs import Dialogs
from .errors import HarnessGapError, NotInSlicerError
from .loader import load_ui

_CONSTANTS = ("EXIT_SUCCESS", "EXIT_FAILURE")
_NEEDS_THE_APPLICATION = (
    "pip_install", "pip_uninstall", "restart", "exit", "quit", "startQtDesigner", "pythonShell", "moduleSelector",
    "openSaveDataDialog", "openAddDataDialog", "launchConsoleProcess", "reloadScriptedModule", "saveScene",
)  # fmt: skip


class StrictUtil(ModuleType):
    """Stands before the real module."""

    def __init__(self, real: ModuleType):
        super().__init__("slicer.util", real.__doc__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            return getattr(self.__dict__["_real"], name)
        if name not in api.functions("slicer.util") and name not in _CONSTANTS:
            raise NotInSlicerError(f"slicer.util has no public {name!r} in Slicer 5.10")
        found = getattr(self.__dict__["_real"], name, None)
        if found is None:
            raise HarnessGapError(f"slicer.util.{name} exists in Slicer; this harness does not play it yet")
        return found


class WaitCursor(AbstractContextManager["WaitCursor"]):
    """``with slicer.util.WaitCursor():``"""

    def __init__(self, show: bool = True):
        self.show = show

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def overrides(dialogs: Dialogs, selected: list[str], statuses: list[str]) -> dict[str, Callable[..., Any]]:
    """What the real module cannot do without the application, by name.

    Parameters
    ----------
    selected : gets the name of every module that is switched to. statuses : every message of the status bar.
    """

    def message(kind: str) -> Callable[..., None]:
        return lambda text, windowTitle=None, parent=None, **_: dialogs.tell(kind, text)

    def confirm(text: str, windowTitle: Any = None, parent: Any = None, **_: Any) -> bool:
        return bool(dialogs.ask("confirm", text))

    def missing(name: str) -> Callable[..., Any]:
        def gap(*_: Any, **__: Any) -> Any:
            raise HarnessGapError(f"slicer.util.{name} was called; a test must say what it does")

        return gap

    made: dict[str, Callable[..., Any]] = {name: missing(name) for name in _NEEDS_THE_APPLICATION}
    made |= {f"{kind}Display": message(kind) for kind in ("info", "warning", "error")}
    made |= {f"confirm{kind}Display": confirm for kind in ("OkCancel", "YesNo", "RetryClose")}
    made |= {
        "loadUI": load_ui,
        "mainWindow": lambda: None,
        "messageBox": lambda text, parent=None, **_: dialogs.tell("message", text),
        "delayDisplay": lambda text, autoCloseMsec=1000, **_: dialogs.tell("delay", text),
        "selectModule": lambda module: selected.append(module if isinstance(module, str) else module.name),
        "selectedModule": lambda: selected[-1] if selected else "",
        "showStatusMessage": lambda text, duration=0: statuses.append(text),
        "setSliceViewerLayers": lambda *_, **__: None,
        "resetSliceViews": lambda: None,
        "forceRenderAllViews": lambda: None,
        "WaitCursor": WaitCursor,
        "createProgressDialog": _progress_dialog,
    }
    return made


def _progress_dialog(  # the keywords are Slicer's
    parent: Any = None,
    value: int = 0,
    maximum: int = 100,
    labelText: str = "",
    windowTitle: str = "",
    **properties: Any,
) -> Any:
    dialog = QtWidgets.QProgressDialog(labelText, "Cancel", 0, maximum, parent)
    dialog.windowTitle = windowTitle
    for name, setting in properties.items():
        setattr(dialog, name, setting)
    dialog.setValue(value)
    return dialog

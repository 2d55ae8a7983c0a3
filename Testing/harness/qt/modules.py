"""The modules ``qt`` and ``ctk``: one flat name space each, as PythonQt has them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import api
from .errors import HarnessGapError, NotInSlicerError
from .standin import stand_in_for

_NOT_IN_PYTHONQT = ("Signal", "Slot", "Property", "SIGNAL", "SLOT", "ClassInfo", "QEnum", "QFlag")


class QtModule(ModuleType):
    """``qt``: QtCore, QtGui and QtWidgets in one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _NOT_IN_PYTHONQT:
            raise NotInSlicerError(f"PythonQt has no qt.{name}")
        for module in (QtCore, QtGui, QtWidgets):
            if hasattr(module, name):
                return getattr(module, name)
        if name == "QUiLoader":
            raise HarnessGapError("load .ui files with slicer.util.loadUI")
        raise NotInSlicerError(f"qt has no {name!r} (in Qt 6; Slicer builds with Qt 5 and Qt 6)")


class CtkModule(ModuleType):
    """``ctk``: stand-ins for the classes in the fact table."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not name.startswith("ctk") or not api.known(name):
            raise NotInSlicerError(f"ctk has no {name!r}")
        return stand_in_for(name)

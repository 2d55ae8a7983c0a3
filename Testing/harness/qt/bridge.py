"""Makes PySide6's objects look as PythonQt shows them.

A Qt property is an attribute (``label.text = "a"``, ``button.enabled``), ``w.name`` is the object name,
``w.connect("clicked(bool)", f)`` works, and a plain widget takes no new attributes: a misspelled property is an error.
What PythonQt does not show of Slicer's own classes is refused. Names that begin with ``_`` belong to the harness.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import api, connections
from .errors import HarnessGapError, NotInSlicerError

native_get = QtCore.QObject.__getattribute__
_readers: dict[tuple[type, str], Callable[[Any], Any]] = {}
_installed = False
modal: Callable[[Any], Any] | None = None  # answers a dialog that is executed; set by the application
loading = False  # while PySide6's loader is at work: it hangs every child on the top widget, which PythonQt does not


def install() -> None:
    """Once per process: every Qt object is seen through PythonQt's eyes from now on."""
    global _installed
    if _installed:
        return
    _installed = True
    QtCore.QObject.__getattribute__ = _get
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            found = getattr(module, name)
            if isinstance(found, type) and issubclass(found, QtCore.QObject):
                found.__setattr__ = _set
                if issubclass(found, QtCore.QIODevice):  # QProcess: of two bases, it does not inherit the first's
                    found.__getattribute__ = _get


def native(cls: type) -> bool:
    """True for a class of PySide6 itself."""
    return cls.__module__.startswith(("PySide6", "Shiboken"))


def is_stand_in(cls: type) -> bool:
    return "_slicer_class" in cls.__dict__


def described(cls: type) -> str | None:
    """The nearest class in the fact table."""
    return next((c.__name__ for c in cls.__mro__ if (native(c) or is_stand_in(c)) and api.known(c.__name__)), None)


def receivers_of(target: Any) -> connections.Receivers:
    own = native_get(target, "__dict__")
    return own.setdefault("_receivers", connections.Receivers())


def _get(self: Any, name: str) -> Any:
    if name.startswith("_"):
        return native_get(self, name)
    cls = type(self)
    if not native(cls) and not is_stand_in(cls):  # a class of the module's own
        own = native_get(self, "__dict__")
        if name in own:
            return own[name]
        if _defined_in_python(cls, name):
            return native_get(self, name)
    reader = _readers.get((cls, name))
    if reader is None:
        reader = _readers[cls, name] = _reader(cls, name)
    return reader(self)


def _set(self: Any, name: str, value: Any) -> None:
    cls = type(self)
    own = native_get(self, "__dict__")
    if name.startswith("_") or isinstance(value, QtCore.SignalInstance):  # PySide6 keeps its signals like this
        own[name] = value
        return
    class_name = described(cls)
    if name == "name":
        QtCore.QObject.setObjectName(self, value)
    elif class_name is not None and name in api.members(class_name).properties:
        _write(self, cls, class_name, name, value)
    elif class_name is None and QtCore.QObject.metaObject(self).indexOfProperty(name) >= 0:
        _write(self, cls, cls.__name__, name, value)
    elif loading:
        return
    elif native(cls) or is_stand_in(cls):
        raise NotInSlicerError(f"{cls.__name__} has no property {name!r}, and new attributes are not allowed")
    else:
        descriptor = getattr(cls, name, None)
        if isinstance(descriptor, property):
            descriptor.__set__(self, value)
        else:
            own[name] = value


def _reader(cls: type, name: str) -> Callable[[Any], Any]:
    """How an attribute of a class is read; decided once per class and name."""
    class_name = described(cls)
    if name in ("connect", "disconnect"):
        act = getattr(connections, name)
        return lambda w: partial(act, w, class_name, receivers_of(w))
    if name == "name":
        return QtCore.QObject.objectName
    if name == "className":
        return lambda w: lambda: class_name or cls.__name__
    if name in ("exec", "exec_") and issubclass(cls, QtWidgets.QDialog):
        return lambda w: partial(_executed, w)
    if name == "exec_":
        return lambda w: native_get(w, "exec")
    if class_name is not None and not class_name.startswith("Q"):
        own = api.own_members(class_name)
        if name in own.properties:
            return lambda w: w._read(name)
        if name in own.methods:
            return _stand_in_method(cls, class_name, name)
        if own.signals_named(name):
            return lambda w: SignalHandle(w, class_name, name)
        if _defined_in_python(cls, name) and not _defined_by_qt(cls, name):
            return _refused(class_name, name)
    if class_name is not None and name in api.members(class_name).properties:
        return _property_reader(cls, name)
    if class_name is None and _meta_property(cls, name):
        return _property_reader(cls, name)
    return lambda w: native_get(w, name)


def _defined_in_python(cls: type, name: str) -> bool:
    return any(name in c.__dict__ for c in cls.__mro__ if not native(c) and c is not object)


def _defined_by_qt(cls: type, name: str) -> bool:
    """True for a method of Qt's that a stand-in overrides, such as ``paintEvent``."""
    return any(name in c.__dict__ for c in cls.__mro__ if native(c))


def _stand_in_method(cls: type, class_name: str, name: str) -> Callable[[Any], Any]:
    if _defined_in_python(cls, name):
        return lambda w: native_get(w, name)
    setter_of = name[3:4].lower() + name[4:]
    if name.startswith("set") and setter_of in api.members(class_name).properties:
        return lambda w: partial(setattr, w, setter_of)

    def gap(_: Any) -> Any:
        raise HarnessGapError(f"{class_name}.{name}() exists in Slicer; this harness does not play it yet")

    return gap


def _refused(class_name: str, name: str) -> Callable[[Any], Any]:
    def refuse(_: Any) -> Any:
        raise NotInSlicerError(f"{class_name} shows no {name!r} in Python")

    return refuse


def _meta_property(cls: type, name: str) -> bool:
    return cls.staticMetaObject.indexOfProperty(name) >= 0


def _property_reader(cls: type, name: str) -> Callable[[Any], Any]:
    capital = name[0].upper() + name[1:]
    for candidate in (name, f"is{capital}", f"to{capital}", f"has{capital}"):
        method = getattr(cls, candidate, None)
        if callable(method) and not isinstance(method, type):
            return method
    return lambda w: QtCore.QObject.property(w, name)


def _write(self: Any, cls: type, class_name: str, name: str, value: Any) -> None:
    kind = api.members(class_name).properties.get(name, "") if api.known(class_name) else ""
    if "[read-only]" in kind:
        raise NotInSlicerError(f"{class_name}.{name} is read-only")
    if not class_name.startswith("Q") and api.known(class_name) and name in api.own_members(class_name).properties:
        self._write(name, value)
        return
    setter = getattr(cls, "set" + name[0].upper() + name[1:], None)
    if setter is None:
        if not QtCore.QObject.setProperty(self, name, value):
            raise NotInSlicerError(f"{class_name}.{name} is read-only")
        return
    setter(self, value)


def _executed(dialog: Any, *_: Any) -> Any:
    if modal is None:
        raise HarnessGapError(f"{type(dialog).__name__} would wait for a person")
    return modal(dialog)


class SignalHandle:
    """``widget.signal`` of a stand-in, for ``widget.signal.connect(slot)``."""

    def __init__(self, sender: Any, class_name: str, name: str):
        self._sender, self._class_name, self._name = sender, class_name, name

    def connect(self, slot: Any) -> bool:
        return bool(self._sender.connect(self._only(), slot))

    def disconnect(self, slot: Any = None) -> bool:
        return bool(self._sender.disconnect(self._only(), slot))

    def _only(self) -> str:
        found = api.members(self._class_name).signals_named(self._name)
        if len(found) > 1:
            raise NotInSlicerError(f"{self._class_name}.{self._name} is overloaded: name one of {', '.join(found)}")
        return found[0]

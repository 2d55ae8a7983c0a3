"""Stand-ins for Slicer's and CTK's widgets.

A class without a stand-in of its own gets a plain one: the Qt class it derives from, its properties as stored values,
its signals connectable; calling any other method of it raises ``HarnessGapError``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets

from . import api, bridge, connections
from .errors import HarnessGapError

_EMPTY: dict[str, Any] = {"bool": False, "int": 0, "double": 0.0, "QString": ""}
_made: dict[str, type] = {}


class StandIn:
    """Mix-in of every stand-in: properties and signals that Qt does not know.

    A property ``p`` is read and written by the methods ``_get_p`` and ``_set_p`` where a class defines them, and kept
    as a value otherwise; its notify signal is sent when the value changes.
    """

    _defaults: ClassVar[dict[str, Any]] = {}

    def _read(self, name: str) -> Any:
        getter = getattr(type(self), f"_get_{name}", None)
        if getter is not None:
            return getter(self)
        return self._stored().get(name, self._default(name))

    def _write(self, name: str, value: Any) -> None:
        setter = getattr(type(self), f"_set_{name}", None)
        if setter is not None:
            setter(self, value)
            return
        kind = api.members(self._api_name()).properties[name]
        before = self._read(name)
        self._stored()[name] = _converted(kind.split(" ")[0], value)
        notify = kind.partition("notify=")[2]
        if notify and before != value:
            signature = next(s for s in api.members(self._api_name()).signals_named(notify))
            self._emit(signature, *([] if signature.endswith("()") else [value]))

    def _emit(self, signature: str, *arguments: Any) -> None:
        connections.emit(self, self._api_name(), bridge.receivers_of(self), signature, *arguments)

    def _api_name(self) -> str:
        name = bridge.described(type(self))
        assert name is not None
        return name

    def _stored(self) -> dict[str, Any]:
        own: dict[str, Any] = bridge.native_get(self, "__dict__")
        return own.setdefault("_values", {})

    def _default(self, name: str) -> Any:
        for cls in type(self).__mro__:
            if name in cls.__dict__.get("_defaults", {}):
                return cls.__dict__["_defaults"][name]
        kind = api.members(self._api_name()).properties[name].split(" ")[0]
        return list[str]() if kind == "QStringList" else _EMPTY.get(kind)


def stand_in(cls: type) -> type:
    """Class decorator: this class plays the Slicer class of its name."""
    if not api.known(cls.__name__):
        raise HarnessGapError(f"{cls.__name__} is not in the fact table")
    cls._slicer_class = cls.__name__
    cls.__setattr__ = bridge._set
    _made[cls.__name__] = cls
    return cls


def stand_in_for(class_name: str) -> type:
    """The stand-in of a Slicer or CTK class, made on first use if nobody wrote one."""
    if class_name not in _made:
        base = next((c for c in api.chain(class_name)[1:] if c in _made or _qt_class(c) is not None), None)
        if base is None:
            raise HarnessGapError(f"{class_name} derives from no class that Qt 6 has")
        parent = _made.get(base) or _qt_class(base)
        bases = (parent,) if issubclass(parent, StandIn) else (StandIn, parent)
        stand_in(type(class_name, bases, {"__doc__": f"Plain stand-in for {class_name}."}))
    return _made[class_name]


def _qt_class(name: str) -> type | None:
    for module in (QtWidgets, QtGui, QtCore):
        if isinstance(found := getattr(module, name, None), type):
            return found
    return None


def _converted(kind: str, value: Any) -> Any:
    """A value as the property's type holds it; what Qt would refuse is refused."""
    if kind == "bool":
        return bool(value)
    if kind in ("int", "double"):
        return (int if kind == "int" else float)(value)
    if kind == "QString":
        if value is not None and not isinstance(value, str):
            raise TypeError(f"a QString property takes no {type(value).__name__}")
        return value or ""
    if kind == "QStringList":
        if isinstance(value, str) or not all(isinstance(v, str) for v in value):
            raise TypeError("a QStringList property takes a list of strings")
        return list(value)
    return value

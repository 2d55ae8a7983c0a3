"""``sender.connect("signal(type)", slot)`` as PythonQt does it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from PySide6 import QtCore

from . import api
from .errors import HarnessGapError, NotInSlicerError

_VARARGS = 0x04


def accepted(slot: Callable[..., Any]) -> int | None:
    """How many arguments PythonQt passes to a slot at most: what its code names; None if it takes them all."""
    function = slot.__func__ if isinstance(slot, MethodType) else slot
    if not isinstance(function, FunctionType):
        return None  # a partial, a built-in, a class: PythonQt cannot count and passes everything
    if function.__code__.co_flags & _VARARGS:
        return None
    return function.__code__.co_argcount - isinstance(slot, MethodType)


def dropping(slot: Callable[..., Any]) -> Callable[..., Any]:
    """The slot without the arguments it does not take."""
    limit = accepted(slot)

    def received(*arguments: Any) -> None:
        slot(*arguments[:limit])

    return received


def normalised(signature: str) -> str:
    return bytes(QtCore.QMetaObject.normalizedSignature(signature).data()).decode()


class Receivers:
    """The slots of one object's Python-side signals, and what has been connected to its native ones."""

    def __init__(self) -> None:
        self.slots: dict[str, list[tuple[Any, Any]]] = {}

    def add(self, signature: str, slot: Any, handle: Any) -> None:
        self.slots.setdefault(signature, []).append((slot, handle))

    def take(self, signature: str, slot: Any) -> list[Any]:
        """Remove a slot (all, if None) and return the handles of what was removed."""
        here = self.slots.get(signature, [])
        gone = [pair for pair in here if slot is None or pair[0] == slot]
        self.slots[signature] = [pair for pair in here if pair not in gone]
        return [handle for _, handle in gone]


def connect(sender: Any, class_name: str | None, receivers: Receivers, signal: str, *target: Any) -> bool:
    """Connect a signal of ``sender``; refuses a signal that the class does not have."""
    if len(target) == 2:
        receiver, method = target
        slot = getattr(receiver, str(method).split("(")[0])
    elif len(target) == 1:
        (slot,) = target
    else:
        raise TypeError("connect(signal, callable) or connect(signal, receiver, slot)")
    if not callable(slot):
        raise TypeError(f"{slot!r} cannot be called; nothing to connect {signal!r} to")
    signature = normalised(signal)
    if class_name is not None:
        api.check_signal(class_name, signature)
    handle = dropping(slot)
    receivers.add(signature, slot, handle)
    if not is_python_side(class_name, signature):
        if sender.metaObject().indexOfSignal(signature) < 0:
            if class_name is None:
                raise NotInSlicerError(f"{type(sender).__name__} has no signal {signature!r}")
            raise NotInSlicerError(f"{signature} of {class_name} is in Qt 5 only; Slicer builds with Qt 6 too")
        QtCore.QObject.connect(sender, QtCore.SIGNAL(signature), handle)
    return True


def disconnect(sender: Any, class_name: str | None, receivers: Receivers, signal: str, slot: Any = None) -> bool:
    """Undo ``connect``; False if there was no such connection."""
    signature = normalised(signal)
    if class_name is not None:
        api.check_signal(class_name, signature)
    handles = receivers.take(signature, slot)
    if not is_python_side(class_name, signature):
        for handle in handles:
            QtCore.QObject.disconnect(sender, QtCore.SIGNAL(signature), handle)
    return bool(handles)


def is_python_side(class_name: str | None, signature: str) -> bool:
    """True for a signal of one of Slicer's or CTK's own classes: Qt does not know it, the stand-in sends it."""
    return class_name is not None and signature in api.own_members(class_name).signals


def emit(sender: Any, class_name: str, receivers: Receivers, signature: str, *arguments: Any) -> None:
    """Send a Python-side signal. As in Slicer, what a slot raises is reported and does not reach the sender."""
    api.check_signal(class_name, signature)
    if not is_python_side(class_name, signature):
        raise HarnessGapError(f"{signature} is Qt's own signal")
    if QtCore.QObject.signalsBlocked(sender):
        return
    for _, handle in list(receivers.slots.get(signature, [])):
        try:
            handle(*arguments)
        except Exception:
            sys.excepthook(*sys.exc_info())

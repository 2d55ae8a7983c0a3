"""Dialogs without a person: what was shown is recorded, questions are answered by the test beforehand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6 import QtWidgets


@dataclass(frozen=True)
class Shown:
    """A message or question that was put before the user. ``kind``: info, warning, error, confirm, file, ..."""

    kind: str
    text: str


class UnansweredError(AssertionError):
    """A dialog waits for a person and the test has not said what they answer."""


class Dialogs:
    """Every modal dialog of the application."""

    _STATICS = {
        QtWidgets.QMessageBox: ("question", "information", "warning", "critical", "about"),
        QtWidgets.QFileDialog: (
            "getOpenFileName",
            "getOpenFileNames",
            "getSaveFileName",
            "getExistingDirectory",
        ),
        QtWidgets.QInputDialog: ("getText", "getItem", "getInt", "getDouble"),
        QtWidgets.QColorDialog: ("getColor",),
    }

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self._answers: deque[Any] = deque()
        self._replaced: list[tuple[type, str, Any]] = []

    def answer(self, *values: Any) -> None:
        """What the next questions are answered with, in order. A callable is called with the dialog or the text."""
        self._answers.extend(values)

    def texts(self, kind: str) -> list[str]:
        return [s.text for s in self.shown if s.kind == kind]

    @property
    def unused(self) -> list[Any]:
        """Answers that nobody asked for."""
        return list(self._answers)

    def tell(self, kind: str, text: Any) -> None:
        """A message that needs no answer."""
        self.shown.append(Shown(kind, str(text)))

    def ask(self, kind: str, text: str, subject: Any = None) -> Any:
        """A question; raises if the test has no answer ready."""
        self.shown.append(Shown(kind, text))
        if not self._answers:
            raise UnansweredError(f"a {kind} dialog waits for an answer: {text!r}")
        value = self._answers.popleft()
        return value(text if subject is None else subject) if callable(value) else value

    def executed(self, dialog: Any) -> Any:
        """What ``dialog.exec_()`` returns."""
        text = dialog.text if isinstance(dialog, QtWidgets.QMessageBox) else dialog.windowTitle
        return self.ask(type(dialog).__name__, text, dialog)

    def take_over(self) -> None:
        """Catch Qt's own static dialogs."""
        for cls, names in self._STATICS.items():
            for name in names:
                self._replaced.append((cls, name, cls.__dict__[name]))
                setattr(cls, name, staticmethod(self._static(f"{cls.__name__}.{name}")))

    def hand_back(self) -> None:
        for cls, name, original in self._replaced:
            setattr(cls, name, original)
        self._replaced.clear()

    def _static(self, kind: str) -> Callable[..., Any]:
        def asked(*arguments: Any) -> Any:
            return self.ask(kind, " ".join(a for a in arguments if isinstance(a, str)))

        return asked

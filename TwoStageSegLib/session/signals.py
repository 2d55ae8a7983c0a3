"""How the session tells its views that something changed: one signal, a handful of words for what."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Change(StrEnum):
    """What a view has to draw again."""

    VOLUME = "volume"
    MODEL = "model"
    ORGANS = "organs"
    RUN = "run"
    PROGRESS = "progress"
    TARGET = "target"
    QUESTION = "question"
    PROBLEMS = "problems"
    REVIEW = "review"  # the list is another one
    SLICE = "slice"  # the slice that is shown, or whether it was seen
    LOG = "log"


class Signal:
    """A list of functions that are called with the :class:`Change`; pure Python (a Qt signal needs a toolkit)."""

    def __init__(self) -> None:
        self._slots: list[Callable[[Change], None]] = []

    def connect(self, slot: Callable[[Change], None]) -> None:
        if slot not in self._slots:
            self._slots.append(slot)

    def disconnect(self, slot: Callable[[Change], None]) -> None:
        if slot in self._slots:
            self._slots.remove(slot)

    def emit(self, change: Change) -> None:
        for slot in list(self._slots):
            slot(change)

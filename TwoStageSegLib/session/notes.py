"""What the person at the screen reads: problems where they happened, and a log that holds no patient data."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from .signals import Change

VOLUME, MODEL, RUN, TARGET = "volume", "model", "run", "target"
"""Places of a problem; every other place is an organ's name."""

_LOG_LINES = 500


class Problems:
    """At most one problem per place; it stays until the place says it is solved."""

    def __init__(self, changed: Callable[[Change], None]):
        self._texts: dict[str, str] = {}
        self._changed = changed

    def at(self, place: str) -> str:
        """The problem at a place, "" if there is none."""
        return self._texts.get(place, "")

    def put(self, place: str, text: str) -> None:
        if self._texts.get(place) != text:
            self._texts[place] = text
            self._changed(Change.PROBLEMS)

    def solve(self, *places: str) -> None:
        if any(self._texts.pop(place, None) is not None for place in places):
            self._changed(Change.PROBLEMS)

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(self._texts)


class Log:
    """The last events of this session. Names of organs, models and devices, times and error codes; no image's name,
    no path, no coordinate."""

    def __init__(self, changed: Callable[[Change], None]):
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._changed = changed

    def add(self, text: str) -> None:
        self._lines.append(f"{time.strftime('%H:%M:%S')} {text}")
        self._changed(Change.LOG)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

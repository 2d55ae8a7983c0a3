"""What the panel remembers between sessions: preferences, never anything about a patient."""

from __future__ import annotations

import qt

_GROUP = "TwoStageSeg"


class Settings:
    """Texts in Slicer's user settings."""

    def __init__(self) -> None:
        self._settings = qt.QSettings()

    def get(self, name: str, default: str) -> str:
        value = self._settings.value(f"{_GROUP}/{name}", default)
        return default if value is None else str(value)

    def put(self, name: str, value: str) -> None:
        self._settings.setValue(f"{_GROUP}/{name}", value)

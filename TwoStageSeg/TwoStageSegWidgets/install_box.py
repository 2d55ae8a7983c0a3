"""The part of the panel that is only seen while something has to be installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from .dependencies import Dependencies


class InstallBox:
    """Binds ``Dependencies`` to the panel. ``ready`` is True once the worker can be started."""

    def __init__(self, ui: Any, changed: Any):
        self._ui, self._panel_changed = ui, changed
        self.dependencies = Dependencies(self.refresh)
        ui.installButton.connect("clicked(bool)", lambda _on: self.dependencies.install())
        ui.wheelsButton.connect("clicked(bool)", lambda _on: self._from_folder())

    @property
    def ready(self) -> bool:
        found = self.dependencies.findings
        return found is not None and found.usable

    def look(self) -> None:
        """Ask once; again only if something was wrong."""
        if not self.ready:
            self.dependencies.look()

    def refresh(self) -> None:
        found = self.dependencies
        wanted = found.describe()
        self._ui.installFrame.visible = bool(wanted) or found.installing or bool(found.problem)
        self._ui.installText.text = f"{_('Installing.')} {found.last_line}" if found.installing else wanted
        for button in (self._ui.installButton, self._ui.wheelsButton):
            button.enabled = not found.busy
        self._ui.installProblem.text = found.problem
        self._ui.installProblem.visible = bool(found.problem)
        self._panel_changed()

    def close(self) -> None:
        self.dependencies.close()

    def _from_folder(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(None, _("Folder of wheels"))
        if folder:
            self.dependencies.install_from(Path(folder))

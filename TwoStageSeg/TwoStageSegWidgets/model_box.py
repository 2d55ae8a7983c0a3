"""The choice of a model, and everything that has to be said about it before it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from TwoStageSegLib.model import installed_folders
from TwoStageSegLib.session import MODEL, Installed, Session, installed_models

from .texts import model_html, model_summary


class ModelBox:
    """Binds the list of installed models. ``chosen``: called with the name that a person has chosen."""

    def __init__(self, ui: Any, session: Session, chosen: Callable[[str], None]):
        self._ui, self._session, self._chosen = ui, session, chosen
        self._entries: list[Installed] = []
        self._listed: tuple[tuple[str, int], ...] = ()
        ui.modelSelector.connect("activated(int)", self._activated)
        ui.addModelButton.connect("clicked(bool)", lambda _on: self._add())

    def load(self, wanted: str) -> None:
        """Read the installed models (verified, every one) and choose ``wanted``, else the first that can be used."""
        self._listed = _on_disk()
        self._entries = installed_models()
        self._ui.modelSelector.clear()
        self._ui.modelSelector.addItems([entry.title for entry in self._entries])
        usable = [i for i, e in enumerate(self._entries) if e.model is not None]
        index = next((i for i, e in enumerate(self._entries) if e.name == wanted), usable[0] if usable else -1)
        self._ui.modelSelector.setCurrentIndex(index)
        self._session.choose_model(self._entries[index] if index >= 0 else None)

    def refresh(self) -> None:
        if self._listed != _on_disk():  # a model has been added
            self.load("" if self._session.entry is None else self._session.entry.name)
        model, problem = self._session.model, self._session.problems.at(MODEL)
        if not self._entries:
            problem = problem or _("No model is installed. Add one from a file.")
        self._ui.modelSummary.text = "" if model is None else model_summary(model)
        self._ui.aboutText.text = "" if model is None else model_html(model)
        self._ui.aboutSection.enabled = model is not None
        self._ui.modelProblem.text = problem
        self._ui.modelProblem.visible = bool(problem)

    def _activated(self, index: int) -> None:
        self._session.choose_model(self._entries[index])
        self._chosen(self._entries[index].name)

    def _add(self) -> None:
        text = _("Model (*.zip manifest.json);;All files (*)")
        name = qt.QFileDialog.getOpenFileName(
            None, _("Add a model: its zip file, or manifest.json in its folder"), "", text
        )
        name = name[0] if isinstance(name, tuple) else name
        if name:
            path = Path(name)
            self._session.add_model_from_file(path.parent if path.name == "manifest.json" else path)


def _on_disk() -> tuple[tuple[str, int], ...]:
    """Folders of the installed models and when their manifests were written: cheap to compare."""
    return tuple((str(folder), (folder / "manifest.json").stat().st_mtime_ns) for folder in installed_folders())

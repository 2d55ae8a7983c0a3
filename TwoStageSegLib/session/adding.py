"""A new model on its way in: copied and verified, then its self-test runs in the worker, then it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import ModelRefused
from ..messages import Error, ModelReady
from .link import ModelKey
from .models import Staged
from .notes import MODEL, Log, Problems
from .signals import Change


class Adding:
    """At most one new model at a time. Whatever goes wrong, what is installed stays as it is."""

    def __init__(self, changed: Callable[[Change], None], problems: Problems, log: Log):
        self._changed, self._problems, self._log = changed, problems, log
        self._staged: Staged | None = None

    @property
    def active(self) -> bool:
        return self._staged is not None

    @property
    def key(self) -> ModelKey:
        """What the worker has to load for the self-test. On the CPU: exact everywhere."""
        assert self._staged is not None, "no model is being added"
        return str(self._staged.model.folder), "cpu"

    def begin(self, source: Path) -> bool:
        """Copy and verify; False, with a problem at the model, if it is refused."""
        try:
            self._staged = Staged(source)
        except ModelRefused as error:
            self._refuse(error)
            return False
        self._log.add(f"self-test of the new model {self._staged.model.name}")
        self._changed(Change.RUN)
        return True

    def tested(self, event: ModelReady | Error) -> None:
        """The self-test is over: install, or say why not."""
        staged, self._staged = self._staged, None
        if staged is None:
            return
        try:
            if isinstance(event, Error):
                staged.discard()
                raise ModelRefused(event.message)
            staged.install()
            self._log.add(f"model {staged.model.name} {staged.model.manifest.version} installed")
            self._problems.solve(MODEL)
        except ModelRefused as error:
            self._refuse(error)
        self._changed(Change.RUN)
        self._changed(Change.MODEL)

    def drop(self) -> None:
        """Call it off; nothing of the copy stays."""
        if self._staged is not None:
            self._staged.discard()
            self._staged = None

    def _refuse(self, error: ModelRefused) -> None:
        self._log.add(error.code)
        self._problems.put(MODEL, f"Not added. {error}")

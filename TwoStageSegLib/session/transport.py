"""How messages reach the worker process: the Protocol that a toolkit fulfils, and one way that needs no toolkit.

Slicer moves bytes with QProcess, the browser view and the tests with ``worker_process``.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Protocol

from ..messages import Command, Event
from ..worker_process import WorkerProcess


class Transport(Protocol):
    """One worker process at a time, which can be started again after it ended.

    ``on_event`` is called with every event and ``on_end`` with one line (how it ended) when the process has ended by
    itself; both on the thread that owns the session.
    """

    on_event: Callable[[Event], None]
    on_end: Callable[[str], None]

    def start(self) -> None:
        """Start the process and make its private folder. Raises TwoStageSegError if it cannot be started."""

    def send(self, command: Command) -> None:
        """Send a command; a process that has ended says so through ``on_end``, not here."""

    def poll(self) -> None:
        """Deliver what has arrived, where the toolkit does not deliver by itself."""

    def kill(self) -> None:
        """End the process now, within two seconds, and delete its folder; ``on_end`` is not called. Never raises."""

    @property
    def is_running(self) -> bool:
        """True from ``start`` until the process has ended or was killed."""

    @property
    def folder(self) -> Path:
        """The private folder of the running process."""


def ignore_event(event: Event) -> None:
    """What a transport does with an event before a session is connected."""


def ignore_end(message: str) -> None:
    """What a transport does with an end before a session is connected."""


class SubprocessTransport:
    """A worker started with ``subprocess``; ``poll`` delivers.

    Parameters
    ----------
    python : interpreter. module : what ``python -m`` runs (tests use another).
    """

    def __init__(self, python: str | os.PathLike[str] = sys.executable, module: str = "TwoStageSegLib.worker"):
        self.on_event: Callable[[Event], None] = ignore_event
        self.on_end: Callable[[str], None] = ignore_end
        self._python, self._module = python, module
        self._process: WorkerProcess | None = None
        self._cleanup: weakref.finalize | None = None

    def start(self) -> None:
        self.kill()
        self._process = WorkerProcess(self._python, self._module)
        self._cleanup = weakref.finalize(self, self._process.destroy)

    def send(self, command: Command) -> None:
        if self._process is not None:
            self._process.send(command)

    def poll(self) -> None:
        while (process := self._process) is not None:
            try:
                event = process.events.get_nowait()
            except Empty:
                return
            if event is not None:
                self.on_event(event)
                continue
            message = process.epitaph()
            self.kill()
            self.on_end(message)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.destroy()
        if self._cleanup is not None:
            self._cleanup.detach()

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def folder(self) -> Path:
        assert self._process is not None, "the worker is not running"
        return self._process.folder

    @property
    def pid(self) -> int | None:
        """Process ID, for tests."""
        return None if self._process is None else self._process.pid

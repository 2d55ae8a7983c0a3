"""Drives the worker process from any program, without a toolkit: start, send, poll events, cancel, close.

The client owns the process and the private folder through which voxels and masks pass, and leaves neither behind:
not after ``close``, not when the child was killed, not when the client itself is forgotten or the program ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO

from .errors import Cancelled as RunCancelled
from .errors import TwoStageSegError
from .geometry import Geometry
from .handover import private_folder, put_volume, remove_private_folder, take_organ
from .messages import (
    Cancel,
    Cancelled,
    Close,
    Command,
    Done,
    Error,
    Event,
    Heartbeat,
    Load,
    ModelReady,
    Notice,
    Open,
    Organ,
    Progress,
    Run,
    VolumeReady,
)
from .pipeline import OrganResult, Result
from .protocol import LineBuffer, ProtocolError, decode_event, encode
from .region import Region
from .volume import Volume
from .worker_process import last_words, worker_command, worker_environment


@dataclass(frozen=True)
class OrganArrived:
    """An organ's result, its mask read into memory and the file deleted."""

    run: int
    result: OrganResult


ClientEvent = Event | OrganArrived


class WorkerClient:
    """One worker process.

    Parameters
    ----------
    grace_s : how long the worker may take to obey a cancel or close before it is killed.
    module : what ``python -m`` runs (tests use another).
    """

    def __init__(self, grace_s: float = 2.0, module: str = "TwoStageSegLib.worker"):
        self.grace_s = grace_s
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._stderr: deque[str] = deque(maxlen=20)
        self._run_numbers = 0
        self._volumes = 0
        self._current: int | None = None
        self._cancelling = False
        self._geometry: Geometry | None = None
        self._heard_s = time.monotonic()

    def start(self, python: str | os.PathLike[str] = sys.executable) -> None:
        """Start the process; it says Hello when it is up. Raises TwoStageSegError if it cannot be started."""
        self.close()
        self._events, self._stderr = SimpleQueue(), deque(maxlen=20)
        self._folder = private_folder()
        command = worker_command(python, self._module, self._folder)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=worker_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            remove_private_folder(self._folder)
            raise TwoStageSegError("E_WORKER", f"The worker could not be started: {error.strerror}.") from None
        self._process = process
        self._finalizer = weakref.finalize(self, _destroy, process, self._folder)
        self._threads = [
            threading.Thread(target=_read_events, args=(process.stdout, self._events), daemon=True),
            threading.Thread(target=_read_stderr, args=(process.stderr, self._stderr), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._heard_s = time.monotonic()

    @property
    def running(self) -> bool:
        """True while the process lives. After a cancel that needed a kill it is False: ``start`` again."""
        return self._process is not None and self._process.poll() is None

    @property
    def busy(self) -> bool:
        """True from ``run`` until its Done, Cancelled or Error has been polled."""
        return self._current is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def silent_s(self) -> float:
        """Seconds since the worker was last heard of; it speaks every second while it is well."""
        return time.monotonic() - self._heard_s

    def send(self, command: Command) -> None:
        """Send any command. A worker that has died shows itself in the next ``poll``."""
        if self._process is None or self._process.stdin is None:
            raise TwoStageSegError("E_WORKER", "The worker is not running. Start it first.")
        try:
            self._process.stdin.write(encode(command))
            self._process.stdin.flush()
        except (OSError, ValueError):
            pass  # the reader thread sees the end of the stream and reports why

    def load(self, model: str | os.PathLike[str], device: str = "auto") -> None:
        """Ask for a model; answered by ModelReady or Error."""
        self.send(Load(os.fspath(model), device))

    def open(self, volume: Volume) -> None:
        """Hand a volume over; answered by VolumeReady or Error. ``volume`` is not needed afterwards."""
        if not self.running:
            raise TwoStageSegError("E_WORKER", "The worker is not running. Start it first.")
        self._volumes += 1
        self._geometry = volume.geometry
        self.send(put_volume(self._folder, self._volumes, volume))

    def run(
        self,
        organs: Iterable[str] | None = None,
        regions: Mapping[str, Region] | None = None,
        locate_only: bool = False,
    ) -> int:
        """Start a run and return its number; its events carry it."""
        if self._current is not None:
            raise TwoStageSegError("E_BUSY", "A run is under way. Cancel it or wait for it.")
        self._run_numbers += 1
        wanted = None if organs is None else list(organs)
        given = [r.as_json() for r in (regions or {}).values()]
        self.send(Run(self._run_numbers, wanted, given, locate_only))
        self._current, self._cancelling = self._run_numbers, False
        return self._run_numbers

    def cancel(self) -> None:
        """Ask the run to stop; after ``grace_s`` the process is killed. Either way ``poll`` gives Cancelled."""
        if self._current is None or self._cancelling:
            return
        self._cancelling = True
        self.send(Cancel(self._current))
        timer = threading.Timer(self.grace_s, self._kill_run, (self._current,))
        timer.daemon = True
        timer.start()

    def poll(self, timeout_s: float = 0.0) -> list[ClientEvent]:
        """What the worker said since the last call; waits up to ``timeout_s`` for the first event."""
        found: list[ClientEvent] = []
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                wait_s = 0.0 if found else max(0.0, deadline - time.monotonic())
                event = self._events.get(timeout=wait_s) if wait_s else self._events.get_nowait()
            except Empty:
                return found
            self._heard_s = time.monotonic()
            translated = self._ended() if event is None else self._translate(event)
            if translated is not None:
                found.append(translated)
            if event is None:
                return found

    def wait(self, timeout_s: float = 600.0) -> Result:
        """Block until the run is over. Raises what went wrong: Cancelled, or TwoStageSegError with its code."""
        organs: list[OrganResult] = []
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for event in self.poll(0.2):
                if isinstance(event, OrganArrived):
                    organs.append(event.result)
                elif isinstance(event, Done):
                    return Result(tuple(organs), event.device, event.seconds, tuple(event.notices))
                elif isinstance(event, Cancelled):
                    raise RunCancelled
                elif isinstance(event, Error):
                    raise TwoStageSegError(event.code, event.message)
        raise TwoStageSegError("E_TIMEOUT", f"The worker did not finish within {timeout_s:.0f} s.")

    def wait_for(self, kind: type, timeout_s: float = 120.0) -> ClientEvent:
        """Block until an event of ``kind`` (ModelReady, VolumeReady, ...) comes. Raises on Error and on time-out."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for event in self.poll(0.2):
                if isinstance(event, kind):
                    return event
                if isinstance(event, Error):
                    raise TwoStageSegError(event.code, event.message)
        raise TwoStageSegError("E_TIMEOUT", f"The worker did not answer within {timeout_s:.0f} s.")

    def close(self) -> None:
        """End the process, politely and then not, and delete the private folder. Safe to call at any time."""
        process, self._process = self._process, None
        self._current = None
        if process is None:
            return
        ...

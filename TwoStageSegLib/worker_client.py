"""Drives the worker process from any program, without a toolkit: start, load, open, run, poll, cancel, close.

No process and no file is left behind: not after ``close``, not when the child was killed, not when the client is
forgotten or the program ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from queue import Empty
from types import TracebackType

from .errors import Cancelled as RunCancelled
from .errors import TwoStageSegError
from .geometry import Geometry
from .handover import LOST_RESULT, UNREADABLE, put_volume, take_organ
from .messages import Cancel, Cancelled, Command, Done, Error, Event, Heartbeat, Load, Organ, Reviewed, Run, VolumeReady
from .pipeline import OrganResult, Result
from .region import Region
from .review.findings import OrganReview
from .volume import Volume
from .worker_process import WorkerProcess


@dataclass(frozen=True)
class OrganArrived:
    """An organ's result; its mask has been read into memory and the file deleted."""

    run: int
    result: OrganResult


@dataclass(frozen=True)
class ReviewArrived:
    """Findings about an edited organ; ``review`` is None if the model cannot judge it."""

    number: int
    organ: str
    review: OrganReview | None

    @classmethod
    def of(cls, event: Reviewed) -> ReviewArrived:
        return cls(event.review, event.organ, None if event.result is None else OrganReview.from_json(event.result))


ClientEvent = Event | OrganArrived | ReviewArrived


class WorkerClient:
    """The conversation with one worker.

    Parameters
    ----------
    grace_s : how long the worker may take to obey a cancel or to close before it is killed.
    module : what ``python -m`` runs (tests use another).
    """

    def __init__(self, grace_s: float = 2.0, module: str = "TwoStageSegLib.worker"):
        self.grace_s = grace_s
        self._module = module
        self._process: WorkerProcess | None = None
        self._cleanup: weakref.finalize | None = None
        self._runs = self._volumes = 0
        self._current: int | None = None
        self._cancelling = False
        self._geometry: Geometry | None = None
        self._heard_s = time.monotonic()

    def start(self, python: str | os.PathLike[str] = sys.executable) -> None:
        """Start the process (ending an earlier one). Raises TwoStageSegError if it cannot be started."""
        self.close()
        self._process = WorkerProcess(python, self._module)
        self._cleanup = weakref.finalize(self, self._process.destroy)
        self._heard_s = time.monotonic()

    @property
    def running(self) -> bool:
        """True while the process lives. After a cancel that took a kill it is False: ``start`` again."""
        return self._process is not None and self._process.alive

    @property
    def busy(self) -> bool:
        """True from ``run`` until its Done, Cancelled or Error has been polled."""
        return self._current is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def silent_s(self) -> float:
        """Seconds since the worker was last heard; a healthy one speaks every second."""
        return time.monotonic() - self._heard_s

    def load(self, model: str | os.PathLike[str], device: str = "auto") -> None:
        """Ask for a model; answered by ModelReady or Error."""
        self.send(Load(os.fspath(model), device))

    def open(self, volume: Volume) -> None:
        """Hand a volume over; answered by VolumeReady or Error."""
        self._volumes += 1
        self._geometry = volume.geometry
        self.send(put_volume(self._started().folder, self._volumes, volume))

    def run(
        self,
        organs: Iterable[str] | None = None,
        regions: Mapping[str, Region] | None = None,
        locate_only: bool = False,
    ) -> int:
        """Start a run; answered by Progress, OrganArrived for each organ, and Done, Cancelled or Error.

        Parameters
        ----------
        organs : None for all. regions : clicks and boxes; what is located stays warm, so moving one box and running
            that organ costs one crop. locate_only : regions without masks.

        Returns
        -------
        The run's number, which its events carry.
        """
        if self._current is not None:
            raise TwoStageSegError("E_BUSY", "A run is under way. Cancel it or wait for it.")
        self._runs += 1
        wanted = None if organs is None else list(organs)
        self.send(Run(self._runs, wanted, [r.as_json() for r in (regions or {}).values()], locate_only))
        self._current, self._cancelling = self._runs, False
        return self._runs

    def cancel(self) -> None:
        """Ask the run to stop; after ``grace_s`` the process is killed. Either way ``poll`` gives Cancelled."""
        if self._current is None or self._cancelling:
            return
        self._cancelling = True
        self.send(Cancel(self._current))
        timer = threading.Timer(self.grace_s, _kill_unless_finished, (self._started(), self._current))
        timer.daemon = True
        timer.start()

    def send(self, command: Command) -> None:
        """Send any command. A worker that has died shows itself in the next ``poll``."""
        self._started().send(command)

    def poll(self, timeout_s: float = 0.0) -> list[ClientEvent]:
        """What the worker said since the last call; waits up to ``timeout_s`` for the first event."""
        found: list[ClientEvent] = []
        while (event := self.next_event(0.0 if found else timeout_s)) is not None:
            found.append(event)
        return found

    def next_event(self, timeout_s: float) -> ClientEvent | None:
        """The next event, or None if there is none in time. Heartbeats only move ``silent_s``."""
        deadline = time.monotonic() + timeout_s
        while self._process is not None:
            try:
                event = self._process.events.get(timeout=max(1e-4, deadline - time.monotonic()))
            except Empty:
                return None
            self._heard_s = time.monotonic()
            if event is None:
                return self._ended()
            if not isinstance(event, Heartbeat):
                return self._translated(event)
        return None

    def wait_for(self, kind: type | tuple[type, ...], timeout_s: float = 120.0) -> ClientEvent:
        """Block until an event of ``kind`` (ModelReady, VolumeReady, ...); raises on Error, Cancelled and time-out."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            event = self.next_event(left)
            if event is not None and isinstance(event, kind):
                return event
            if isinstance(event, Cancelled):
                raise RunCancelled
            if isinstance(event, Error):
                raise TwoStageSegError(event.code, event.message)
        raise TwoStageSegError("E_TIMEOUT", f"The worker did not answer within {timeout_s:.0f} s.")

    def wait(self, timeout_s: float = 600.0) -> Result:
        """Block until the run is over and return it; raises Cancelled, or TwoStageSegError with the worker's code."""
        organs: list[OrganResult] = []
        deadline = time.monotonic() + timeout_s
        while True:
            event = self.wait_for((OrganArrived, Done), deadline - time.monotonic())
            if isinstance(event, OrganArrived):
                organs.append(event.result)
            elif isinstance(event, Done):
                return Result(tuple(organs), event.device, event.seconds, tuple(event.notices))

    def close(self) -> None:
        """End the process, politely and then not, and delete the private folder. Safe at any time."""
        process, self._process, self._current = self._process, None, None
        if process is not None:
            process.destroy(self.grace_s)
        if self._cleanup is not None:
            self._cleanup.detach()

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> WorkerProcess:
        if self._process is None:
            raise TwoStageSegError("E_WORKER", "The worker is not running. Start it first.")
        return self._process

    def _translated(self, event: Event) -> ClientEvent:
        folder = self._started().folder
        if isinstance(event, Organ) and self._geometry is not None:
            try:
                return OrganArrived(event.run, take_organ(folder, event, self._geometry))
            except UNREADABLE:
                self.close()
                return Error("E_WORKER", LOST_RESULT, "worker", event.run)
        if isinstance(event, Reviewed):
            return ReviewArrived.of(event)
        if isinstance(event, VolumeReady):
            with contextlib.suppress(OSError):  # mapped: where files can be unlinked while open, do it now
                (folder / event.voxels).unlink()
        if isinstance(event, (Done, Cancelled, Error)) and event.run == self._current:
            self._current = None
        return event

    def _ended(self) -> ClientEvent:
        """The process is gone: clean up, and say what that means for the run that was under way."""
        process, run, cancelling = self._started(), self._current, self._cancelling
        message = process.epitaph()
        self.close()
        if run is not None and cancelling:
            return Cancelled(run)
        return Error("E_WORKER", message, "worker", run)


def _kill_unless_finished(process: WorkerProcess, run: int) -> None:
    if process.finished_run < run and process.alive:
        process.kill()

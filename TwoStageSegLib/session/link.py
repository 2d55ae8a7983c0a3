"""The conversation with the worker: what it has loaded and opened, which run is under way, when to lose patience."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..geometry import Geometry
from ..handover import LOST_RESULT, UNREADABLE, put_review, put_volume, take_organ
from ..mask import Mask
from ..messages import (
    Cancel,
    Cancelled,
    Done,
    Error,
    Event,
    Heartbeat,
    Load,
    ModelReady,
    Organ,
    Progress,
    Reviewed,
    Run,
    VolumeReady,
)
from ..region import Region
from ..volume import Volume
from ..worker_client import ClientEvent, OrganArrived, ReviewArrived
from .transport import Transport

VolumeKey = tuple[object, ...]
ModelKey = tuple[str, str]  # folder, device wanted

CANCEL_GRACE_S = 2.0
SILENCE_S = 30.0
_LONGEST_TICK_S = 1.0  # a longer pause was the computer's sleep or a busy window, not the worker's silence


class WorkerLink:
    """Says only what the worker does not know yet, so that a moved box costs one crop.

    Parameters
    ----------
    transport : moves the messages. on_event : called with every event that concerns the session: those of a run
        that is over are dropped; an organ's mask has been read; a process that ended is an Error (or Cancelled).
    clock : seconds that only go forward.
    """

    def __init__(
        self, transport: Transport, on_event: Callable[[ClientEvent], None], clock: Callable[[], float] = time.monotonic
    ):
        self._transport, self._on_event, self._clock = transport, on_event, clock
        transport.on_event, transport.on_end = self._heard, self._ended
        self._model: ModelKey | None = None
        self._volume: VolumeKey | None = None
        self._geometry: Geometry | None = None
        self._counter = self._volumes = self._reviews = 0
        self._silent_s, self._last_tick_s = 0.0, clock()
        self._cancel_by_s: float | None = None
        self.run_number: int | None = None

    @property
    def is_running(self) -> bool:
        return self._transport.is_running

    @property
    def busy(self) -> bool:
        return self.run_number is not None

    @property
    def cancelling(self) -> bool:
        return self._cancel_by_s is not None

    def knows(self, model: ModelKey, volume: VolumeKey | None = None) -> bool:
        """True if the worker has this model (and volume) warm."""
        return self.is_running and self._model == model and volume in (None, self._volume)

    def load(self, model: ModelKey) -> None:
        """Start the worker if need be and have it load a model, unless it has it."""
        if not self._transport.is_running or not self._transport.folder.is_dir():  # somebody tidied temporary files
            self._forget()
            self._transport.start()
            self._silent_s = 0.0
        if self._model != model:
            self._model = model
            self._transport.send(Load(*model))

    def run(
        self,
        model: ModelKey,
        key: VolumeKey,
        volume: Volume,
        organs: Iterable[str],
        regions: Mapping[str, Region],
    ) -> int:
        """Begin a run, after the model and the volume if they are new; returns its number."""
        self._prepare(model, key, volume)
        self._counter += 1
        self.run_number, self._silent_s, self._cancel_by_s = self._counter, 0.0, None
        self._transport.send(Run(self._counter, list(organs), [r.as_json() for r in regions.values()]))
        return self._counter

    def review(self, model: ModelKey, key: VolumeKey, volume: Volume, mask: Mask, region: Region) -> int:
        """Have an edited mask judged, after what runs now; answered by :class:`ReviewArrived` with this number."""
        self._prepare(model, key, volume)
        self._reviews += 1
        self._transport.send(put_review(self._transport.folder, self._reviews, mask, region))
        return self._reviews

    def cancel(self) -> None:
        """Ask the run to stop; a worker that does not obey in time is killed by :meth:`tick`."""
        if self.run_number is not None and self._cancel_by_s is None:
            self._cancel_by_s = self._clock() + CANCEL_GRACE_S
            self._transport.send(Cancel(self.run_number))

    def tick(self) -> None:
        """Deliver events and look at the clock; to be called several times a second while there is a worker."""
        self._transport.poll()
        now = self._clock()
        self._silent_s += min(now - self._last_tick_s, _LONGEST_TICK_S)
        self._last_tick_s = now
        if self._cancel_by_s is not None and now > self._cancel_by_s:
            self._transport.kill()
            self._ended("The worker process was ended.")
        elif self.is_running and self._silent_s > SILENCE_S:
            self._transport.kill()
            self._ended(f"The worker process has not answered for {SILENCE_S:.0f} seconds and was ended. Try again.")

    def close(self) -> None:
        """End the worker without another word."""
        self._forget()
        self._transport.kill()

    def _prepare(self, model: ModelKey, key: VolumeKey, volume: Volume) -> None:
        """The worker has the model and the volume, or will before it reads the next command."""
        self.load(model)
        if self._volume != key:
            self._volumes += 1
            self._transport.send(put_volume(self._transport.folder, self._volumes, volume))
            self._volume, self._geometry = key, volume.geometry

    def _forget(self) -> None:
        self._model = self._volume = self.run_number = self._cancel_by_s = None

    def _heard(self, event: Event) -> None:
        self._silent_s = 0.0
        if isinstance(event, Heartbeat):
            return
        if isinstance(event, VolumeReady):
            self._delete(event.voxels)
        if isinstance(event, Organ):
            self._organ(event)
            return
        if isinstance(event, Reviewed):
            self._on_event(ReviewArrived.of(event))
            return
        if isinstance(event, Progress) and event.run != self.run_number:
            return
        if isinstance(event, (Done, Cancelled, Error)) and getattr(event, "about", "") != "review":
            if event.run is not None and event.run != self.run_number:
                return
            self._settle(event)
        self._on_event(event)

    def _settle(self, event: Done | Cancelled | Error) -> None:
        """What an end means for what the worker holds, and for the run that waited for it."""
        if isinstance(event, Error) and event.about == "load":
            self._model = None
        if isinstance(event, Error) and event.about == "open":
            self._volume = None
        self.run_number = self._cancel_by_s = None

    def _organ(self, event: Organ) -> None:
        if event.run != self.run_number or self._geometry is None:
            if event.mask is not None:
                self._delete(event.mask)
            return
        try:
            result = take_organ(self._transport.folder, event, self._geometry)
        except UNREADABLE:
            self._transport.kill()
            self._ended(LOST_RESULT)
            return
        self._on_event(OrganArrived(event.run, result))

    def _ended(self, message: str) -> None:
        run, cancelled = self.run_number, self.cancelling
        self._forget()
        if run is not None and cancelled:
            self._on_event(Cancelled(run))
        else:
            self._on_event(Error("E_WORKER", message, "worker", run))

    def _delete(self, name: str) -> None:
        with contextlib.suppress(OSError):  # where a mapped file cannot be deleted it goes with the folder
            Path(self._transport.folder, name).unlink()


__all__ = ["ClientEvent", "ModelKey", "ModelReady", "VolumeKey", "WorkerLink"]

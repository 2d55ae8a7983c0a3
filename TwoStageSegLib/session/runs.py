"""One run: what was asked for, how far it is, and what its results do to the rows, the boxes and the segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputRefused
from ..mask import Mask
from ..messages import Cancelled, Done, Error, ModelReady, Notice, Progress
from ..model import Model
from ..pipeline import OrganResult
from ..region import Region
from ..volume import Volume
from ..worker_client import OrganArrived
from .link import ClientEvent, ModelKey, VolumeKey, WorkerLink
from .markers import Markers
from .notes import MODEL, RUN, TARGET, VOLUME, Log, Problems
from .organs import Note as RowNote
from .organs import OrganState
from .signals import Change
from .target import Policy, Target
from .timings import Timing, Timings

_PLACES = {"load": MODEL, "open": VOLUME}


@dataclass
class Job:
    """What a run works on. It keeps its own volume, rows and target: the user may choose others meanwhile.

    ``target`` None: made by ``make_target`` when there is something to write, so that a cancelled run leaves no node.
    """

    model: Model
    device: str
    volume_node: Any
    volume: Volume
    key: VolumeKey
    rows: Mapping[str, OrganState]
    organs: tuple[str, ...]
    regions: dict[str, Region]
    policies: dict[str, Policy]
    make_target: Callable[[], Target]
    target: Target | None
    expected_s: float | None = None
    started_s: float = 0.0
    number: int = 0
    stage: str = "starting"
    organ: str = ""
    fraction: float = 0.0
    segment_s: list[float] = field(default_factory=list)

    @property
    def model_key(self) -> ModelKey:
        return str(self.model.folder), self.device


class Runs:
    """Begins a run and takes its events.

    Parameters
    ----------
    link : the worker. clock : seconds. changed : what to call when a view must draw again.
    """

    def __init__(
        self,
        link: WorkerLink,
        clock: Callable[[], float],
        changed: Callable[[Change], None],
        problems: Problems,
        log: Log,
        timings: Timings,
        markers: Markers,
    ):
        self._link, self._clock, self._changed = link, clock, changed
        self._problems, self._log, self._timings, self._markers = problems, log, timings, markers
        self._load_began_s: float | None = None
        self._load_s = 0.0
        self.job: Job | None = None
        self.device_text = ""
        self.outcome = ""

    def load(self, key: ModelKey) -> None:
        """Have the worker load a model; how long it takes is measured for the estimate."""
        if not self._link.knows(key):
            self._load_began_s = self._clock()
            self._log.add("loading the model")
        self._link.load(key)

    def begin(self, job: Job) -> None:
        """Start a job. Raises TwoStageSegError if the worker cannot be started, OSError if the disk is full."""
        self.load(job.model_key)
        job.started_s = self._clock()
        job.number = self._link.run(job.model_key, job.key, job.volume, job.organs, job.regions)
        self.job, self.outcome = job, ""
        if job.target is not None:
            job.target.begin_step()
        for name in job.organs:
            job.rows[name].running, job.rows[name].stale = True, False
        self._log.add(f"run {job.number}: {', '.join(job.organs)}; {len(job.regions)} of them placed by hand")
        self._changed(Change.RUN)
        self._changed(Change.ORGANS)

    @property
    def left_s(self) -> float | None:
        """Seconds that the run will still take, None if nobody knows."""
        job = self.job
        if job is None:
            return None
        elapsed = self._clock() - job.started_s
        if job.expected_s is not None:
            return max(job.expected_s - elapsed, 0.0)
        return max(elapsed, 0.0) * (1 - job.fraction) / job.fraction if job.fraction > 0.1 else None

    def take(self, event: ClientEvent) -> None:
        """One event of the worker."""
        job = self.job
        if isinstance(event, ModelReady):
            self._model_ready(event)
        elif isinstance(event, Notice):
            self._log.add(event.text)
        elif isinstance(event, Error):
            self._failed(event)
        elif job is None:
            return
        elif isinstance(event, Progress):
            job.stage, job.organ, job.fraction = event.stage, event.organ, event.fraction
            self._changed(Change.PROGRESS)
        elif isinstance(event, Done):
            self._done(job, event)
        elif isinstance(event, Cancelled):
            self._log.add(f"run {job.number}: cancelled")
            self.end("Cancelled. Nothing was changed.", unfinished=True)
        elif isinstance(event, OrganArrived):
            self._arrived(job, event.result)

    def end(self, outcome: str, unfinished: bool) -> None:
        """No run any more. ``unfinished``: what was moved by hand still waits to be redone."""
        job, self.job, self.outcome = self.job, None, outcome
        if job is None:
            return
        for name in job.organs:
            row = job.rows[name]
            row.stale = row.stale or (unfinished and row.running and row.yours)
            row.running = False
        self._changed(Change.RUN)
        self._changed(Change.ORGANS)

    def _model_ready(self, event: ModelReady) -> None:
        if self._load_began_s is not None:
            self._load_s, self._load_began_s = self._clock() - self._load_began_s, None
        self.device_text = event.device
        self._problems.solve(MODEL)
        self._log.add(f"model {event.name} {event.version} {event.sha256[:12]} on {event.device}, {self._load_s:.1f} s")
        self._changed(Change.MODEL)

    def _failed(self, event: Error) -> None:
        self._log.add(f"{event.code} {event.message}")
        self._problems.put(_PLACES.get(event.about, RUN), event.message)
        self._load_began_s = None
        self.end("", unfinished=True)

    def _done(self, job: Job, event: Done) -> None:
        total = self._clock() - job.started_s
        self.device_text = event.device
        before = self._timings.of(job.model.sha256, job.device)
        located = len(job.regions) < len(job.organs) and event.seconds.get("locate", 0.0) > 0.001
        mean = sum(job.segment_s) / len(job.segment_s) if job.segment_s else (before.segment if before else 0.0)
        locate_s = event.seconds.get("locate", 0.0) if located else (before.locate if before else 0.0)
        load_s = self._load_s or (before.load if before else 0.0)
        self._timings.put(job.model.sha256, job.device, Timing(event.device, load_s, locate_s, mean))
        for text in event.notices:
            self._log.add(text)
        self._log.add(f"run {job.number}: done in {total:.1f} s")
        missing = [n for n in job.organs if (region := job.rows[n].region) is None or not region.usable]
        self.end(_outcome(len(job.organs), missing, event.notices), unfinished=False)

    def _arrived(self, job: Job, result: OrganResult) -> None:
        row = job.rows[result.organ]
        row.running, row.kept = False, False
        if seconds := result.seconds.get("segment"):
            job.segment_s.append(seconds)
        if not row.stale:  # else it was moved while it was computed: the new place stays, to be redone
            row.region = result.region
            self._markers.show(job.volume_node, result.region, row.rgb)
        row.note = _note(result)
        row.volume_ml = None if result.mask is None else result.mask.volume_ml
        if result.mask is not None:
            self._write(job, result, result.mask)
        self._changed(Change.ORGANS)

    def _write(self, job: Job, result: OrganResult, mask: Mask) -> None:
        tags = {
            "TwoStageSeg.Model": f"{job.model.name} {job.model.manifest.version}",
            "TwoStageSeg.ModelSha256": job.model.sha256,
            "TwoStageSeg.Status": result.region.status.value,
            "TwoStageSeg.Source": result.region.source.value,
            "TwoStageSeg.Score": f"{result.region.score:.3f}",
        }
        try:
            if job.target is None:
                job.target = job.make_target()
            job.target.put(mask, job.volume, job.volume_node, job.policies[result.organ], tags)
            self._problems.solve(TARGET)
        except InputRefused as error:
            self._log.add(error.code)
            self._problems.put(TARGET, str(error))
        self._changed(Change.TARGET)


def _note(result: OrganResult) -> RowNote:
    mask = result.mask
    if mask is None:
        return RowNote.EMPTY if result.region.usable else RowNote.NONE
    if mask.at_image_edge:
        return RowNote.CUT
    return RowNote.EDGE if mask.touches_edge else RowNote.NONE


def _outcome(count: int, missing: list[str], notices: list[str]) -> str:
    texts = [f"{count - len(missing)} of {count} organs segmented." if missing else "Done."]
    if missing:
        texts.append(f"Not located: {', '.join(missing)}.")
    return " ".join([*texts, *dict.fromkeys(notices)])

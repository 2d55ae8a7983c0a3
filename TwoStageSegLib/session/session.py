"""What a user does, without a toolkit: choose, run, correct, answer, undo. Slicer's panel and the web page bind this."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused, ModelRefused, TwoStageSegError
from ..io.plausible import check_ct
from ..messages import Error, ModelReady
from ..model import own_models_folder
from ..region import Region
from ..scene import volume_from_node
from ..volume import Volume
from .corrections import Corrections
from .link import ClientEvent, VolumeKey, WorkerLink
from .markers import Markers, Owner
from .models import Installed, Staged
from .notes import MODEL, RUN, TARGET, VOLUME, Log, Problems
from .organs import OrganState
from .runs import Job, Runs
from .signals import Change, Signal
from .target import Origin, Overwrite, Policy, Target
from .timings import Timings, estimate_s
from .transport import Transport
from .watch import SceneWatch


@dataclass(frozen=True)
class Question:
    """A run waits for an answer: these segments are a person's work. See :meth:`Session.answer`."""

    overwrites: tuple[Overwrite, ...]
    organs: tuple[str, ...]


class Session:
    """The work on one scene.

    Parameters
    ----------
    scene : vtkMRMLScene. transport : moves messages to a worker process (see ``transport``).
    timings_file : where measured times are kept; None for memory only. Default: beside the user's own models.
    clock : seconds that only go forward.

    ``changed`` is emitted with a :class:`Change`. :meth:`tick` must be called a few times a second.
    """

    def __init__(
        self,
        scene: Any,
        transport: Transport,
        timings_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.scene, self.changed = scene, Signal()
        self.problems, self.log = Problems(self.changed.emit), Log(self.changed.emit)
        self.markers = Markers(scene, self._marker_moved, self._marker_removed)
        self.link = WorkerLink(transport, self._heard, clock)
        self._timings = Timings(timings_file)
        self.runs = Runs(
            self.link, clock, self.changed.emit, self.problems, self.log, self._timings, self.markers
        )
        self.corrections = Corrections(self, clock)
        self.device, self.policy, self.policies = "auto", Policy.REPLACE, dict[str, Policy]()
        self.volume_node: Any = None
        self.model: Installed | None = None
        self.question: Question | None = None
        self.volume_text = ""
        self._target_node: Any = None
        self._targets: dict[str, Target] = {}
        self._rows: dict[tuple[str, str], dict[str, OrganState]] = {}
        self._staged: Staged | None = None
        self._located: set[tuple[Any, ...]] = set()
        self._watch = SceneWatch(scene, self.forget_scene, self._node_removed)

    # --- choices ------------------------------------------------------------------------------------------------

    def choose_volume(self, node: Any) -> None:
        """The scan to work on, or None. What was found on it before comes back."""
        self.corrections.stop_placing()
        self.volume_node, self.question = node, None
        self.problems.solve(RUN, *self.rows)
        self.markers.show_only(None if node is None else node.GetID())
        self.check_volume()
        for change in (Change.VOLUME, Change.ORGANS, Change.QUESTION):
            self.changed.emit(change)

    def check_volume(self) -> Volume | None:
        """The scan as the engine sees it, if it can be used; else its problem stands at the volume."""
        self.volume_text = ""
        if self.volume_node is None:
            self.problems.solve(VOLUME)
            return None
        try:
            volume = volume_from_node(self.volume_node)
            self.volume_text = " · ".join(filter(None, (volume.size_text, volume.modality)))
            if self.model is not None and self.model.model is not None:
                if self.model.model.manifest.input.modality == "CT":
                    check_ct(volume)
        except InputRefused as error:
            self.problems.put(VOLUME, str(error))
            return None
        self.problems.solve(VOLUME)
        return volume

    def choose_model(self, entry: Installed | None) -> None:
        """The model to use, or None."""
        self.corrections.stop_placing()
        self.model, self.question = entry, None
        self.problems.solve(MODEL, RUN)
        if entry is not None and entry.model is None:
            self.problems.put(MODEL, entry.problem)
        self.check_volume()
        for change in (Change.MODEL, Change.VOLUME, Change.ORGANS):
            self.changed.emit(change)

    def prepare(self) -> None:
        """Have the worker load the model now, so that the device is known and the first run is short."""
        if self.model is None or self.model.model is None or self.runs.job or self._staged:
            return
        self._try_worker(lambda: self.runs.load((str(self.model.folder), self.device)))

    def add_model_from_file(self, source: Path) -> bool:
        """Copy a bundle (zip or folder) in, verify it and begin its self-test; it is listed if that passes.

        True if it has begun; the end is :attr:`Change.MODEL` or a problem at the model.
        """
        if self.busy:
            self.problems.put(MODEL, "Wait for the end of the run, or cancel it, before adding a model.")
            return False
        try:
            self._staged = Staged(Path(source))
        except ModelRefused as error:
            self.problems.put(MODEL, f"Not added. {error}")
            return False
        self.log.add(f"self-test of the new model {self._staged.model.name}")
        key = (str(self._staged.model.folder), "cpu")
        return self._try_worker(lambda: self.runs.load(key))

    @property
    def target(self) -> Any:
        """The segmentation node that results go into; None: a new one is made when the first result arrives."""
        return self._target_node

    @target.setter
    def target(self, node: Any) -> None:
        self._target_node = node
        self.problems.solve(TARGET)
        self.changed.emit(Change.TARGET)

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def rows(self) -> dict[str, OrganState]:
        """The organs of the chosen model on the chosen volume, in the model's order."""
        if self.model is None or self.model.model is None:
            return {}
        key = ("" if self.volume_node is None else self.volume_node.GetID(), self.model.model.sha256)
        if key not in self._rows:
            self._rows[key] = {o.name: OrganState.of(o) for o in self.model.model.manifest.organs}
        return self._rows[key]

    @property
    def busy(self) -> bool:
        """True while a run or the self-test of a new model is under way."""
        return self.runs.job is not None or self._staged is not None

    @property
    def can_run(self) -> bool:
        ready = self.volume_node is not None and self.model is not None and self.model.model is not None
        blocked = self.problems.at(VOLUME) or self.busy or self.question is not None
        return ready and not blocked and any(row.ticked for row in self.rows.values())

    @property
    def device_text(self) -> str:
        """What the model runs on: as the worker said, as it was last time, or "" if nobody knows yet."""
        if self.runs.device_text or self.model is None or self.model.model is None:
            return self.runs.device_text
        timing = self._timings.of(self.model.model.sha256, self.device)
        return "" if timing is None else timing.device

    @property
    def estimate_s(self) -> float | None:
        """Seconds that a run of all ticked organs takes, from earlier runs on this device; None if never measured."""
        if self.model is None or self.model.model is None or self.volume_node is None:
            return None
        ticked = [row for row in self.rows.values() if row.ticked]
        return self._estimate(tuple(r.name for r in ticked), all(r.yours for r in ticked))

    # --- acts ---------------------------------------------------------------------------------------------------

    def run(self, organs: Iterable[str] | None = None, decided: Policy | None = None) -> bool:
        """Locate and segment all ticked organs, or those named. True if it has begun.

        If a segment that a person has worked on would be overwritten, nothing begins: :attr:`question` says so.
        ``decided``: the answer, for those segments.
        """
        self.corrections.stop_placing()
        if self.busy or self.question is not None:
            return False
        self.problems.solve(RUN)
        volume = self.check_volume()
        names = tuple(n for n, r in self.rows.items() if (r.ticked if organs is None else n in set(organs)))
        names = tuple(n for n in names if not self.problems.at(n))
        if volume is None or self.model is None or self.model.model is None or not names:
            return False
        policies, origins = self._policies(names, volume)
        worked_on = [Overwrite(n, origins[n]) for n in names if origins[n] in (Origin.EDITED, Origin.FOREIGN)]
        worked_on = [o for o in worked_on if policies[o.organ] is Policy.REPLACE]
        if worked_on and decided is None:
            self.question = Question(tuple(worked_on), names)
            self.changed.emit(Change.QUESTION)
            return False
        if decided is not None:
            policies |= {o.organ: decided for o in worked_on}
        kept = [n for n in names if policies[n] is Policy.KEEP and origins[n] is not Origin.NONE]
        for name in names:
            self.rows[name].kept = name in kept
            if name in kept:
                self.rows[name].stale = False
        self.changed.emit(Change.ORGANS)
        names = tuple(n for n in names if n not in kept)
        return bool(names) and self._begin(names, volume, policies)

    def answer(self, policy: Policy | None) -> bool:
        """Answer :attr:`question`: what to do with those segments this once; None calls the run off."""
        question, self.question = self.question, None
        self.changed.emit(Change.QUESTION)
        if question is None or policy is None:
            self.corrections.hold_back()
            return False
        return self.run(question.organs, policy)

    def cancel(self) -> None:
        """Stop the run; what is not finished is not written."""
        self.link.cancel()
        self.changed.emit(Change.RUN)

    def undo(self) -> bool:
        """Take back what the last run changed in the target segmentation."""
        target = None if self._target_node is None else self._targets.get(self._target_node.GetID())
        done = target is not None and not self.busy and target.undo()
        if done:
            self.log.add("undo")
            self.changed.emit(Change.TARGET)
        return done

    @property
    def can_undo(self) -> bool:
        target = None if self._target_node is None else self._targets.get(self._target_node.GetID())
        return target is not None and target.can_undo and not self.busy

    def tick(self) -> None:
        """Deliver what the worker said and do what has waited; to be called a few times a second."""
        self.link.tick()
        self.corrections.tick()

    def forget_scene(self) -> None:
        """The scene is closing: stop the run and let go of every node."""
        if self.busy:
            self.log.add("the scene was closed during a run")
        self.link.close()
        self._drop_staged()
        self.runs.end("", unfinished=False)
        self.markers.forget()
        self._rows.clear()
        self._targets.clear()
        self._located.clear()
        self._target_node = self.question = None
        self.choose_volume(None)

    def close(self) -> None:
        """The program ends or the panel goes: no process, no observer stays; the nodes do."""
        self.corrections.stop_placing()
        self.forget_scene()
        self._watch.stop()

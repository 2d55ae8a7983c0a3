"""What a user does, without a toolkit: choose, run, correct, answer, undo. Slicer's panel and the web page show it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import TwoStageSegError
from ..messages import Done, Error, ModelReady
from ..volume import Volume
from .adding import Adding
from .corrections import Corrections
from .desk import Desk
from .forecast import Forecast
from .jobs import job_for
from .link import ClientEvent, WorkerLink
from .markers import Markers
from .models import Installed
from .notes import MODEL, RUN, VOLUME
from .plan import Plan, Question, plan
from .reviewing import Reviewing
from .runs import Runs
from .signals import Change
from .target import Origin, Policy
from .transport import Transport
from .warm_up import WarmUp
from .watch import SceneWatch


class Session(Desk):
    """The work on one scene.

    Parameters
    ----------
    scene : vtkMRMLScene. transport : moves messages to a worker process (see ``transport``).
    timings_file : where measured times are kept; None for memory only. clock : seconds that only go forward.

    :meth:`tick` must be called a few times a second. ``corrections`` holds what a person does about one organ,
    ``forecast`` the device and the time that a run will take, ``reviewing`` the slices that need a look, ``warm_up``
    starts the worker before the first run.
    """

    def __init__(
        self,
        scene: Any,
        transport: Transport,
        timings_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__(scene, timings_file, clock)
        self.policy, self.policies = Policy.REPLACE, dict[str, Policy]()
        self.question: Question | None = None
        self.corrections = Corrections(self)
        self.markers = Markers(scene, self.corrections.moved, self.corrections.removed)
        self.link = WorkerLink(transport, self._heard, clock)
        self.runs = Runs(self.link, clock, self.changed.emit, self.problems, self.log, self.timings, self.markers)
        self.adding = Adding(self.changed.emit, self.problems, self.log)
        self.forecast = Forecast(self)
        self.reviewing = Reviewing(self)
        self.warm_up = WarmUp(self, clock)
        self._watch = SceneWatch(scene, self.forget_scene, self._node_removed)

    @property
    def busy(self) -> bool:
        """True while a run or the self-test of a new model is under way."""
        return self.runs.job is not None or self.adding.active

    @property
    def can_run(self) -> bool:
        blocked = self.problems.at(VOLUME) or self.busy or self.question is not None
        ready = self.volume_node is not None and any(row.ticked for row in self.rows.values())
        return ready and not blocked

    def choose_volume(self, node: Any) -> None:
        if node is self.volume_node and node is not None:
            self.check_volume()
            return
        self._put_down()
        super().choose_volume(node)
        self.corrections.recall()
        self.markers.show_only(None if node is None else node.GetID())

    def choose_model(self, entry: Installed | None) -> None:
        self._put_down()
        super().choose_model(entry)
        self.corrections.recall()

    def add_model_from_file(self, source: str | Path) -> bool:
        """Copy a bundle (zip or folder) in, verify it, begin its self-test; the end is MODEL or a problem there."""
        if self.busy:
            self.problems.put(MODEL, "Wait for the end of the run, or cancel it, before adding a model.")
            return False
        if not self.adding.begin(Path(source)):
            return False
        return self.with_worker(lambda: self.runs.load(self.adding.key))

    def run(self, organs: Iterable[str] | None = None, decided: Policy | None = None) -> bool:
        """Locate and segment all ticked organs, or those named. True if it has begun.

        If a segment that a person has worked on would be overwritten, nothing begins: :attr:`question` says so.
        ``decided``: the answer, for those segments.
        """
        if self.busy or self.question is not None:
            return False
        self.corrections.stop_placing()
        self.problems.solve(RUN)
        volume = self.check_volume()
        asked = {n for n, row in self.rows.items() if row.ticked} if organs is None else set(organs)
        names = tuple(n for n in self.rows if n in asked and not self.problems.at(n))
        if volume is None or not names:
            return False
        policies = {n: self.policies.get(n, self.policy) for n in names}
        decision = plan(names, policies, lambda organ: self._origin(organ, volume), decided)
        if isinstance(decision, Question):
            self.question = decision
            self.changed.emit(Change.QUESTION)
            return False
        for name in names:
            self.rows[name].kept = name in decision.kept
            self.rows[name].stale = self.rows[name].stale and name not in decision.kept
        self.changed.emit(Change.ORGANS)
        return self._begin(decision, volume)

    def answer(self, policy: Policy | None) -> bool:
        """Answer :attr:`question`: what to do with those segments this once; None calls the run off."""
        question, self.question = self.question, None
        self.changed.emit(Change.QUESTION)
        if question is None or policy is None:
            self.corrections.hold_back()
            return False
        return self.run(question.organs, policy)

    def cancel(self) -> None:
        """Stop the run, of which nothing is written then, or the self-test of a new model."""
        if self.adding.active:
            self.link.close()
            self.adding.drop()
        self.link.cancel()
        self.changed.emit(Change.RUN)

    @property
    def can_undo(self) -> bool:
        return self.known_target is not None and self.known_target.can_undo and not self.busy

    def begin_edit(self) -> None:
        """A stroke of a brush is about to change the target segmentation; :meth:`undo` takes it back by itself."""
        if self.target is not None and self.volume_node is not None:
            self.target_for(self.volume_node).begin_edit()
            self.changed.emit(Change.TARGET)

    def undo(self) -> bool:
        """Take back what the last run or stroke changed in the target segmentation."""
        target = self.known_target
        if target is None or self.busy or not target.undo():
            return False
        self.log.add("undo")
        self.forget_figures(target)
        self.reviewing.rechecks.touch()
        return True

    def tick(self) -> None:
        """Deliver what the worker said and do what has waited; to be called a few times a second."""
        self.link.tick()
        self.corrections.tick()
        self.reviewing.tick()
        self.warm_up.tick()
        self.look_again()

    def forget_scene(self) -> None:
        """The scene is closing: stop the run and let go of every node."""
        if self.busy:
            self.log.add("the scene was closed during a run")
        self._stop()
        self.markers.forget()
        self._rows.clear()
        self._targets.clear()
        self.question = None
        self.target = None
        self.choose_volume(None)
        self.reviewing.forget()

    def close(self) -> None:
        """The panel or the program goes: no process and no observer stays; the nodes do."""
        self._watch.stop()
        self.corrections.stop_placing()
        self.forget_scene()

    def _begin(self, decision: Plan, volume: Volume) -> bool:
        if not decision.organs or self.model is None:
            return False
        job = job_for(self, self.model, decision, volume)
        return self.with_worker(lambda: self.runs.begin(job))

    def with_worker(self, act: Callable[[], None]) -> bool:
        """Do something that may have to start the process; what goes wrong stands at the button."""
        try:
            act()
        except (TwoStageSegError, OSError) as error:
            text = str(error) if isinstance(error, TwoStageSegError) else f"{error.strerror}. Free some disk space."
            self.log.add(type(error).__name__)
            self.problems.put(RUN, text)
            self._stop()
            return False
        return True

    def _origin(self, organ: str, volume: Volume) -> Origin:
        return Origin.NONE if self.target is None else self.target_for(self.volume_node).origin(organ, volume)

    def _heard(self, event: ClientEvent) -> None:
        if self.adding.active and isinstance(event, (ModelReady, Error)):
            self.link.close()  # the worker holds files that will be moved
            self.adding.tested(event)
            return
        if isinstance(event, Done) and self.runs.job is not None:
            self.forecast.finished(self.runs.job)
        job = self.runs.job
        if not (isinstance(event, Error) and event.about == "review"):
            self.runs.take(event)
        self.reviewing.rechecks.heard(event, job)

    def _put_down(self) -> None:
        """Another scan or model: what was begun on the last one is not carried over."""
        self.corrections.stop_placing()
        if self.question is not None:
            self.question = None
            self.changed.emit(Change.QUESTION)

    def _stop(self) -> None:
        self.link.close()
        self.adding.drop()
        self.runs.end("", unfinished=True)

    def _node_removed(self, node: Any) -> None:
        """Somebody has deleted a node: a marker, the scan, the target, or nothing of ours."""
        self.markers.node_removed(node)
        job = self.runs.job
        lost = job is not None and (node is job.volume_node or (job.target is not None and node is job.target.node))
        if lost:
            self._stop()
        if node is self.volume_node:
            self.choose_volume(None)
        self.reviewing.forget_node(node)
        self.forget_node(node)
        self.markers.remove_volume(node.GetID())
        if lost:
            self.problems.put(RUN, "The run was stopped: its volume or its segmentation was removed.")

"""Where the seconds of a run go: each stage of the pipeline with its own time, without that of the stages inside it."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.systems import crop_stage
from TwoStageSegLib.systems.crop_stage import CropStage
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.systems.preprocess import Preprocess
from TwoStageSegLib.systems.runner import Runner

STAGES = ("locate", "resample", "crop", "hand over", "forward", "paste", "review", "rest")
"""``crop``: clip, scale, mirror, sigmoid. ``hand over``: numpy to torch and back. ``rest``: checks, bookkeeping."""

PLACES: tuple[tuple[Any, str, str], ...] = (
    (LocaliseCrop, "locate", "locate"),
    (Preprocess, "sampled", "resample"),
    (CropStage, "_on_grid", "crop"),
    (Runner, "__call__", "hand over"),
    (crop_stage, "place", "paste"),
    (crop_stage, "mask_from", "paste"),
    (Pipeline, "_judge", "review"),
    (Pipeline, "run", "rest"),
)


class Stages:
    """Seconds by stage since ``clear``; what one stage calls is not counted twice."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def clear(self) -> None:
        self.seconds.clear()

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def timed(self, stage: str, function: Callable) -> Callable:
        """``function``, noting the time it spends itself."""

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            self._inside.append(0.0)
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                elapsed = time.perf_counter() - started
                self.seconds[stage] += elapsed - self._inside.pop()
                if self._inside:
                    self._inside[-1] += elapsed

        return run


@contextmanager
def watched(pipeline: Pipeline) -> Iterator[Stages]:
    """The pipeline with a clock in every stage."""
    assert isinstance(pipeline.system, LocaliseCrop)
    stages, system = Stages(), pipeline.system
    with ExitStack() as stack:
        for owner, name, stage in PLACES:
            stack.enter_context(mock.patch.object(owner, name, stages.timed(stage, getattr(owner, name))))
        for runner in (system.locator, *system.segmenters.values()):
            for network in {runner.as_run(half) for half in (True, False)}:
                forward = stages.timed("forward", network.forward)
                stack.enter_context(mock.patch.object(network, "forward", forward))
        yield stages

"""What is said before a run: on which device, and how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputRefused
from ..scene import volume_from_node
from ..volume import Volume
from .notes import VOLUME
from .runs import Job
from .timings import estimate_s

if TYPE_CHECKING:
    from .session import Session


class Forecast:
    """From measured times of earlier runs and from what the worker holds warm; never from a guess."""

    def __init__(self, session: Session):
        self._session = session
        self._located: object = None  # the model and scan whose automatic regions the worker has

    @property
    def device_text(self) -> str:
        """As the worker said, as it was last time, or "" if nobody knows yet."""
        session = self._session
        if session.runs.device_text or session.model is None:
            return session.runs.device_text
        timing = session.timings.of(session.model.sha256, session.device)
        return "" if timing is None else timing.device

    @property
    def seconds(self) -> float | None:
        """For a run of all ticked organs; None if it was never measured on this device."""
        session = self._session
        ticked = [row for row in session.rows.values() if row.ticked]
        if session.volume_node is None or session.problems.at(VOLUME):
            return None
        try:
            volume = volume_from_node(session.volume_node)
        except InputRefused:
            return None  # the run will say why
        return self.of(len(ticked), all(row.yours for row in ticked), volume)

    def of(self, count: int, all_yours: bool, volume: Volume) -> float | None:
        """Seconds for ``count`` organs; ``all_yours``: none of them has to be located."""
        session = self._session
        if session.model is None:
            return None
        timing = session.timings.of(session.model.sha256, session.device)
        model_key, volume_key = session.model_key(session.model), session.volume_key(volume)
        cold = not session.link.knows(model_key)
        warm = session.link.knows(model_key, volume_key) and self._located == (model_key, volume_key)
        return estimate_s(timing, count, cold, locate=not all_yours and not warm)

    def finished(self, job: Job) -> None:
        """A run is done: if it located, that stays warm in the worker."""
        if len(job.regions) < len(job.organs):
            self._located = (job.model_key, job.key)

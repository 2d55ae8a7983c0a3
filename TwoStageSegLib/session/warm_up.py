"""The worker started and its model loaded while the user still looks at the scan: the first run waits for no import.

The worker then rehearses by itself (``rehearsal``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

AFTER_S = 1.5
"""A scan and a model that were chosen just now may be changed again."""


class WarmUp:
    """Prepares the worker once for every choice of scan and model, a moment after it.

    ``allowed``: whether there is anything to start (torch may be missing in Slicer); a view sets it.
    """

    def __init__(self, session: Session, clock: Callable[[], float]):
        self.allowed = False
        self._session, self._clock = session, clock
        self._seen: tuple[int, str] | None = None
        self._since: float | None = None

    def now(self) -> None:
        """Have the worker load the model, so that the device is known and the first run is short."""
        session = self._session
        model = session.model
        if model is not None and not session.busy:
            session.with_worker(lambda: session.runs.load(session.model_key(model)))

    def tick(self) -> None:
        """Look at what is chosen; to be called a few times a second."""
        session = self._session
        chosen = None
        if session.volume_node is not None and session.model is not None:
            chosen = (id(session.volume_node), session.model.sha256)
        if chosen != self._seen:
            self._seen, self._since = chosen, None if chosen is None else self._clock()
        if self._since is None or not self.allowed or self._clock() - self._since < AFTER_S:
            return
        self._since = None  # once
        if not session.link.is_running and session.question is None:
            self.now()

"""Findings from a reference segmentation instead of the model's suspicion, one organ at a tick."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputRefused
from ..mask import Mask
from ..review.book import Book
from ..review.findings import Basis
from ..review.pairing import organ_name
from ..scene import mask_from_segment
from ..scene.store import tag_of
from .target import digest

if TYPE_CHECKING:
    from .rechecks import Rechecks
    from .reviewing import Reviewing
    from .session import Session


class Comparing:
    """``node`` : the reference, None without one. Organs that it does not hold keep what was suspected of them."""

    def __init__(self, session: Session, reviewing: Reviewing, rechecks: Rechecks):
        self._session, self._reviewing, self._rechecks = session, reviewing, rechecks
        self._queue: list[str] = []
        self._suspicion: Book | None = None
        self.node: Any = None

    def choose(self, node: Any) -> None:
        """Compare with this segmentation, or (None) go back to the suspicion."""
        session = self._session
        if node is self.node:
            return
        if node is not None and (node is session.target or session.target is None or session.volume_node is None):
            self._reviewing.say("The reference must be another segmentation than the one that is reviewed.")
            return
        before, self.node = self.node, node
        if before is None:
            self._suspicion = self._reviewing.book
        else:
            self._back()
        if node is not None:
            self._queue = [organ for organ in session.rows if self._reference(organ) is not None]
            if not self._queue:
                self._reviewing.say("The reference has no segment with the name or code of an organ of this model.")
        else:
            self._suspicion = None
            self._judge_what_is_not()

    def queue(self, organ: str) -> bool:
        """Compare an organ again at the next tick; False if the reference does not hold it."""
        if self.node is None or self._reference(organ) is None:
            return False
        self._queue.append(organ)
        return True

    def came(self, organ: str) -> None:
        """A run has brought a new contour and what is suspected of it."""
        if self.node is not None and self._suspicion is not None:
            review = self._reviewing.book.of(organ)
            if review is not None and review.basis is Basis.SUSPICION:
                self._suspicion = self._suspicion.with_review(review, self._reviewing.book.voxels.get(organ, ""))
            self.queue(organ)

    def tick(self) -> bool:
        """Compare one organ; True if there was one."""
        if not self._queue:
            return False
        organ = self._queue.pop(0)
        try:
            self._compare(organ)
        except InputRefused as error:
            self._reviewing.say(f"{organ} cannot be compared: {error}")
        return True

    def drop(self) -> None:
        """Another target: no reference any more."""
        self.node, self._queue, self._suspicion = None, [], None

    def forget_node(self, node: Any) -> None:
        if node is self.node:
            self.choose(None)

    def _compare(self, organ: str) -> None:
        from ..review.reference import compare_with_reference  # scipy is slow to import and only needed here

        session = self._session
        volume, reference = session.check_volume(), self._reference(organ)
        if volume is None or reference is None:
            return
        empty = Mask(organ, np.zeros((1, 1, 1), bool), (0, 0, 0), volume.geometry)
        mask = self._rechecks.mask_of(organ) or empty
        review = compare_with_reference(mask, reference)
        self._rechecks.take(organ, review, mask, session.target, session.volume_node)

    def _reference(self, organ: str) -> Mask | None:
        """The reference's contour of an organ, by name or by code; None if it has none."""
        segmentation, volume = self.node.GetSegmentation(), self._session.check_volume()
        if volume is None:
            return None
        for index in range(segmentation.GetNumberOfSegments()):
            segment = segmentation.GetNthSegment(index)
            code = tag_of(segment, segment.GetTerminologyEntryTagName())
            if organ_name(segment.GetName(), code) == organ:
                found = mask_from_segment(self.node, segmentation.GetNthSegmentID(index), volume)
                return replace(found, organ=organ)
        return None

    def _back(self) -> None:
        session = self._session
        self._queue = []
        if session.target is not None and session.volume_node is not None:
            self._reviewing.put(session.target, session.volume_node, self._suspicion or Book())

    def _judge_what_is_not(self) -> None:
        """What was edited meanwhile, and what was never judged without a reference (as after a scene was loaded)."""
        known = self._reviewing.book
        for organ in self._session.rows:
            mask = self._rechecks.mask_of(organ)
            if mask is None:
                continue
            voxels, review = digest(mask), known.of(organ)
            if known.voxels.get(organ) != voxels or (review is not None and review.basis is Basis.REFERENCE):
                self._rechecks.ask(organ, mask)

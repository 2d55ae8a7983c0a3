"""Keeps the findings true: takes what a run brings, has an edited organ judged again, compares with a reference.

An organ is judged again alone, and only if its voxels are others: every contour has a digest, whatever has changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import InputRefused
from ..mask import Mask
from ..messages import Error
from ..outputs import audit
from ..pipeline import OrganResult
from ..region import Region
from ..review.book import Book
from ..review.findings import OrganReview
from ..review.planes import difference
from ..scene import mask_from_segment
from ..scene.store import tag_of
from ..worker_client import OrganArrived, ReviewArrived
from .comparing import Comparing
from .contours import Contours
from .edit_watch import ANY, EditWatch
from .jobs import record_for
from .link import ClientEvent
from .runs import Job
from .signoff import signed, withdraw
from .target import ORGAN_TAG, VOXELS_TAG, digest

if TYPE_CHECKING:
    from .reviewing import Reviewing
    from .session import Session

_MODEL_TAG = "TwoStageSeg.ModelSha256"


@dataclass(frozen=True)
class _Asked:
    """A contour that the worker is judging."""

    target_node: Any
    volume_node: Any
    mask: Mask
    voxels: str


class Rechecks:
    """Of the target segmentation. ``waiting`` organs were edited; their findings are about the contour before."""

    def __init__(self, session: Session, reviewing: Reviewing):
        self._session, self._reviewing = session, reviewing
        self._watch = EditWatch(lambda: session.clock())
        self._asked: dict[int, _Asked] = {}
        self._waiting: dict[str, str] = {}  # organ -> digest of the contour that has to be judged
        self.contours = Contours()
        self.comparing = Comparing(session, reviewing, self)

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(self._waiting)

    @property
    def reference(self) -> Any:
        return self.comparing.node

    def watch(self, target_node: Any) -> None:
        """Another target is chosen; what another program did to it meanwhile is found out at the next tick."""
        self._watch.watch(target_node)
        self._asked.clear()
        self._waiting.clear()
        self.comparing.drop()
        self._watch.touch(ANY)

    def touch(self) -> None:
        """Something was done to the target; look at every organ."""
        self._watch.touch(ANY)

    def tick(self) -> None:
        """Look at what was edited, once the hand is at rest and no run is under way."""
        session = self._session
        if session.target is None or session.volume_node is None or session.busy or self.comparing.tick():
            return
        if self._asked and not session.link.is_running:  # a run was cancelled, which ended the worker: ask again
            self._asked.clear()
            self._waiting = dict.fromkeys(self._waiting, "")
            self.touch()
        touched = self._watch.settled()
        if touched:
            for organ in self._organs(touched):
                self.look(organ)

    def look(self, organ: str) -> None:
        """Find out whether an organ's contour is another one; withdraw its sign-off and have it judged if so."""
        book, segment = self._reviewing.book, self.segment_of(organ)
        if segment is None:
            if organ in book.organs and self.reference is None:
                self._gone(organ)
            return
        mask = self.mask_of(organ)
        if mask is None:
            return
        self._session.measured(organ, mask.volume_ml)
        voxels = digest(mask)
        sign_off = signed(segment)
        if sign_off is not None and sign_off.voxels != voxels:
            withdraw(segment)
            self.record(organ, signed_off=None)
            self._reviewing.say(f"{organ} was changed after it was signed off: the sign-off is withdrawn.")
        if voxels == book.voxels.get(organ):
            self._waiting.pop(organ, None)
        elif (organ in book.organs or organ in self._waiting) and self._waiting.get(organ) != voxels:
            self._waiting[organ] = voxels
            self.record(organ, edits=self._edits(segment, mask))
            if self.reference is None or not self.comparing.queue(organ):
                self.ask(organ, mask)

    def ask(self, organ: str, mask: Mask) -> None:
        """Have a contour judged by the model, unless that was done before."""
        session, voxels = self._session, self.contours.keep(mask)
        if mask.empty:
            self._gone(organ)
            return
        if self.contours.knows(key := (session.volume_node.GetID(), organ, voxels)):
            self.take(organ, self.contours.review(key), mask, session.target, session.volume_node)
            return
        self._waiting[organ] = voxels
        model, volume, segment = session.model, session.check_volume(), self.segment_of(organ)
        made_by = tag_of(segment, _MODEL_TAG) if segment is not None else ""
        if model is None or volume is None or organ not in session.rows or made_by not in ("", model.sha256):
            why = "Choose the model that made it to have it judged again."
            self._reviewing.say(f"{organ} was edited: its findings are about the contour before. {why}")
            return
        row = session.rows[organ]
        region: Region = row.region if row.region is not None and row.region.usable else mask.tight_box()

        def begin() -> None:
            number = session.link.review(session.model_key(model), session.volume_key(volume), volume, mask, region)
            self._asked[number] = _Asked(session.target, session.volume_node, mask, voxels)

        if session.with_worker(begin):
            self._reviewing.say(f"{organ} was edited: its findings are being computed again.")

    def heard(self, event: ClientEvent, job: Job | None) -> None:
        """An event of the worker. ``job`` : the run that was under way when it came."""
        if isinstance(event, OrganArrived) and job is not None:
            self._arrived(job, event.result)
        elif isinstance(event, ReviewArrived):
            self._judged_again(event)
        elif isinstance(event, Error) and event.about in ("review", "worker") and self._asked:
            self._asked.clear()
            self._reviewing.say(f"{', '.join(self._waiting)} could not be judged again: {event.message}")

    def take(self, organ: str, review: OrganReview | None, mask: Mask, target_node: Any, volume_node: Any) -> None:
        """A contour was judged: the list, the table, the plot and the segment's record say so."""
        voxels = self.contours.keep(mask)
        self._waiting.pop(organ, None)
        book = self._reviewing.book_of(target_node, volume_node)
        before = self.contours.mask(book.voxels.get(organ, ""))
        changed = None if before is None else difference(before, mask).planes
        book = book.without(organ) if review is None else book.with_review(review, voxels, changed)
        self._reviewing.put(target_node, volume_node, book)
        if target_node is self._session.target:
            self.record(organ, flags=audit.flags_record(review))

    def record(self, organ: str, **parts: Any) -> None:
        """Change parts of the audit record that the organ's segment carries.

        What is the same is not written again: a change after an undo would end Slicer's memory of earlier states.
        """
        segment = self.segment_of(organ)
        before = "" if segment is None else tag_of(segment, audit.TAG)
        text = audit.changed(before, organ, **parts)
        if text and text != before:
            segment.SetTag(audit.TAG, text)

    def segment_of(self, organ: str) -> Any:
        """The target's segment of an organ, None if it has none."""
        session = self._session
        if session.target is None or session.volume_node is None:
            return None
        segment_id = session.target_for(session.volume_node).segment_of(organ)
        return None if segment_id is None else session.target.GetSegmentation().GetSegment(segment_id)

    def mask_of(self, organ: str) -> Mask | None:
        """The target's contour of an organ in the scan's grid; None if it cannot be read."""
        session = self._session
        volume = session.check_volume()
        segment_id = None if volume is None else session.target_for(session.volume_node).segment_of(organ)
        if volume is None or segment_id is None:
            return None
        try:
            return replace(mask_from_segment(session.target, segment_id, volume), organ=organ)
        except InputRefused:
            return None  # a transform that nobody can follow: said at the next run

    def forget(self) -> None:
        """Let go of every node."""
        self.watch(None)
        self.contours.clear()

    def _organs(self, touched: set[str]) -> list[str]:
        """Organs that the touched segments are about."""
        if ANY in touched:
            return list(dict.fromkeys([*self._reviewing.organs, *self._session.rows]))
        segmentation = self._session.target.GetSegmentation()
        segments = (segmentation.GetSegment(segment_id) for segment_id in touched)
        return [organ for s in segments if s is not None and (organ := tag_of(s, ORGAN_TAG) or s.GetName())]

    def _arrived(self, job: Job, result: OrganResult) -> None:
        if job.target is None or result.mask is None:
            return
        node, organ = job.target.node, result.organ
        segment_id = job.target.segment_of(organ)
        segment = None if segment_id is None else node.GetSegmentation().GetSegment(segment_id)
        if segment is None or tag_of(segment, VOXELS_TAG) != digest(result.mask):
            return  # it could not be written; the reason stands at the target
        self.contours.judged((job.volume_node.GetID(), organ, digest(result.mask)), result.review)
        segment.SetTag(audit.TAG, audit.compact(record_for(job, result, self._session.runs.device_text)))
        self.take(organ, result.review, result.mask, node, job.volume_node)
        if node is self._session.target:
            self.comparing.came(organ)

    def _judged_again(self, event: ReviewArrived) -> None:
        asked = self._asked.pop(event.number, None)
        if asked is None or asked.voxels != self._waiting.get(event.organ):
            return  # edited again meanwhile, or another segmentation is chosen
        self.contours.judged((asked.volume_node.GetID(), event.organ, asked.voxels), event.review)
        self.take(event.organ, event.review, asked.mask, asked.target_node, asked.volume_node)
        self._reviewing.say(f"{event.organ}: findings computed again after an edit.")

    def _gone(self, organ: str) -> None:
        self._waiting.pop(organ, None)
        book: Book = self._reviewing.book.without(organ)
        self._reviewing.put(self._session.target, self._session.volume_node, book)
        self._reviewing.say(f"{organ} has no contour any more: its findings are gone with it.")

    def _edits(self, segment: Any, mask: Mask) -> Mapping[str, int | None] | None:
        """What was done to the contour that a run made; unknown after a scene was loaded."""
        made_as = tag_of(segment, VOXELS_TAG)
        if made_as == digest(mask):
            return None
        made = self.contours.mask(made_as)
        if made is None:
            return {"voxels_added": None, "voxels_removed": None}
        done = difference(made, mask)
        return {"voxels_added": done.added, "voxels_removed": done.removed}

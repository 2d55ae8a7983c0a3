"""The review of the target segmentation: a list, worst first; go to a slice, mark it as seen, sign an organ off.

What is decided here is shown by Slicer's panel and by the browser page alike. ``review_list`` is what there is to
read, ``rechecks`` keeps the findings true when a contour is edited, ``signoff`` writes sign-offs. Nothing is ever
called right: a slice without a flag is one on which nothing was noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..review.findings import SliceFinding
from ..scene import centre_views
from ..scene.review_plot import picked_slice
from ..scene.review_table import reviewed_segmentations, set_seen
from .rechecks import Rechecks
from .review_list import ReviewList
from .signals import Change
from .signoff import SignOff, sign, signed

if TYPE_CHECKING:
    from .session import Session


class Reviewing(ReviewList):
    """What a person does with the findings.

    The signal ``Session.changed`` says :attr:`Change.REVIEW` when the list is another one, and :attr:`Change.SLICE`
    when only the slice that is shown, its seen mark, a sign-off or the message is.
    """

    def __init__(self, session: Session):
        super().__init__(session)
        self._followed: tuple[Any, Any] = (None, None)
        self.rechecks = Rechecks(session, self)
        session.changed.connect(self._follow)

    def choose(self, organ: str) -> None:
        """Limit the list to one organ, or ("") show all."""
        if organ != self._organ:
            self._organ = organ
            self._changed()

    def jump(self, finding: SliceFinding) -> None:
        """Bring all slice views to a slice of an organ, flagged or not, and move the plot's line there."""
        before = self.shown_organ
        self.current = finding
        centre_views(self._session.scene, finding.centre_lps)
        if self.shown_organ != before:
            self._draw()
        self._mark()
        self._session.changed.emit(Change.SLICE)

    def jump_to(self, organ: str, index: int) -> bool:
        """The same by organ and plane of the standard array; False if there is no such slice."""
        review = self.book.of(organ)
        finding = None if review is None else review.at(index)
        if finding is not None:
            self.jump(finding)
        return finding is not None

    def pick(self, series_id: str, row: int) -> bool:
        """A point of the plot was clicked: go to its slice. ``series_id`` : of the plot series node."""
        number = picked_slice(self._session.scene, series_id, row)
        return number is not None and self.jump_to(self.shown_organ, number - 1)

    def next(self) -> SliceFinding | None:
        """Go to the next slice of the list; the first, if the current slice is not in it. None at the end."""
        return self._step(1)

    def previous(self) -> SliceFinding | None:
        """Go to the slice before; None at the beginning."""
        return self._step(-1)

    def mark_seen(self, finding: SliceFinding | None = None, seen: bool = True) -> None:
        """A person has looked at a slice (None: at the current one), or takes that back. Going there is not looking."""
        finding, table = finding or self.current, self.table
        if finding is None or table is None or self.is_seen(finding) == seen:
            return
        self._books[self._session.target.GetID()] = self.book.marked(finding, seen)
        set_seen(table, self.book, finding, seen)
        self._session.changed.emit(Change.SLICE)

    @property
    def outdated(self) -> tuple[str, ...]:
        """Organs that were edited and whose findings are still about the contour before."""
        return self.rechecks.waiting

    def can_sign_off(self, organ: str) -> bool:
        """True if the organ was reviewed as it is now and nothing is being done to it."""
        row = self._session.rows.get(organ)
        running = row is not None and (row.running or row.stale)
        reviewed = organ in self.organs and organ not in self.outdated
        return reviewed and not running and self.rechecks.segment_of(organ) is not None

    def sign_off(self, organ: str) -> SignOff | None:
        """Write into the organ's segment that a person has reviewed it; None if it cannot be signed off now.

        Edits of the last half second are looked at first: what is signed is what is there.
        """
        self.rechecks.look(organ)
        if not self.can_sign_off(organ):
            return None
        made = sign(self.rechecks.segment_of(organ), self.counts(organ), self.book.voxels.get(organ, ""))
        self.rechecks.record(organ, signed_off=made.as_json())
        self._session.log.add(f"{organ} signed off, {made.seen} flagged slices seen")
        self.say("")
        return made

    def signed(self, organ: str) -> SignOff | None:
        """The sign-off that the organ's segment carries."""
        segment = self.rechecks.segment_of(organ)
        return None if segment is None else signed(segment)

    def compare_with(self, node: Any) -> None:
        """Findings from a reference segmentation (None: from the model's suspicion again)."""
        self.rechecks.comparing.choose(node)

    @property
    def reference(self) -> Any:
        """The segmentation node that is compared with, None without one."""
        return self.rechecks.reference

    def tick(self) -> None:
        """For the session: look at what was edited."""
        self.rechecks.tick()

    def forget_node(self, node: Any) -> None:
        """A node has left the scene; a review goes with its segmentation."""
        if node.IsA("vtkMRMLSegmentationNode"):
            self._drop_nodes(node)
            self._books.pop(node.GetID(), None)
        self.rechecks.comparing.forget_node(node)
        if node.IsA("vtkMRMLTableNode") and self.organs and self.table is None:
            self._books.pop(self._session.target.GetID(), None)  # a person has deleted the review
            self._changed()

    def forget(self) -> None:
        """The scene closes, or the session ends; the nodes stay."""
        self._books.clear()
        self.current, self.message, self._followed = None, "", (None, None)
        self.rechecks.forget()
        self._session.changed.emit(Change.REVIEW)

    def _follow(self, change: Change) -> None:
        """Another scan or target was chosen: its review, from its table if there is one."""
        session = self._session
        chosen = (session.volume_node, session.target)
        if change not in (Change.TARGET, Change.VOLUME) or chosen == self._followed:
            return
        self._followed = chosen
        self.current = None
        self._books.clear()  # of another scan; the tables hold them
        if session.target is None and session.volume_node is not None:
            # a scene was loaded whose scan has been reviewed: go on where it was left
            found = reviewed_segmentations(session.scene, session.volume_node)
            if len(found) == 1:
                session.target = found[0]
                return
        if session.target is not None and session.volume_node is not None:
            self._books[session.target.GetID()] = self.book_of(session.target, session.volume_node)
        self.rechecks.watch(session.target)
        self._changed()

    def _step(self, by: int) -> SliceFinding | None:
        findings, position = self.findings, self.position
        index = (0 if by > 0 else -1) if position is None else position + by
        if not 0 <= index < len(findings):
            return None
        self.jump(findings[index])
        return self.current

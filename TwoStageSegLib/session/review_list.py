"""What there is to read of a review: the list, the profile, how far it has come; and the nodes that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..review.book import Book, Counts
from ..review.findings import OrganReview, SliceFinding
from ..scene.review_plot import chart_of, move_marker, remove_profile, show_profile
from ..scene.review_table import VOLUME, find_review_table, read_review, write_review
from ..structures import structure
from .signals import Change

if TYPE_CHECKING:
    from .session import Session


class ReviewList:
    """Findings of the chosen scan's target segmentation; :class:`~.reviewing.Reviewing` adds what a person does.

    ``current`` : the finding that the views were sent to last. ``message`` : one line about what happened last, ""
    if there is nothing to say.
    """

    def __init__(self, session: Session):
        self._session = session
        self._books: dict[str, Book] = {}  # of the chosen scan, by ID of the segmentation node
        self._organ = ""
        self.current: SliceFinding | None = None
        self.message = ""

    @property
    def book(self) -> Book:
        """The review of the target on the chosen scan; an empty one if there is none."""
        target = self._session.target
        return Book() if target is None else self._books.get(target.GetID(), Book())

    @property
    def organs(self) -> tuple[str, ...]:
        """Organs that have been reviewed."""
        return self.book.organs

    @property
    def organ(self) -> str:
        """The organ that the list is limited to, "" for all."""
        return self._organ if self._organ in self.organs else ""

    @property
    def findings(self) -> tuple[SliceFinding, ...]:
        """The list: flagged slices of the chosen organ or of all, worst first."""
        return self.book.flagged(self.organ)

    @property
    def position(self) -> int | None:
        """Where in the list the current slice stands, None if it is not in it."""
        return next((i for i, f in enumerate(self.findings) if self._is_current(f)), None)

    @property
    def has_next(self) -> bool:
        position = self.position
        return bool(self.findings) and (position is None or position + 1 < len(self.findings))

    @property
    def has_previous(self) -> bool:
        return bool(self.position)

    @property
    def shown_organ(self) -> str:
        """The organ whose profile is drawn: the chosen one, else the current slice's, else the worst slice's."""
        if self.organ or not self.organs:
            return self.organ
        if self.current is not None and self.current.organ in self.organs:
            return self.current.organ
        return next((f.organ for f in self.findings), self.organs[0])

    @property
    def profile(self) -> OrganReview | None:
        """All slices of :attr:`shown_organ`, feet to head."""
        return self.book.of(self.shown_organ)

    def counts(self, organ: str = "") -> Counts:
        """Seen and flagged slices, and all slices, of one organ or ("") of all."""
        return self.book.counts(organ)

    def is_seen(self, finding: SliceFinding) -> bool:
        return self.book.is_seen(finding)

    @property
    def table(self) -> Any:
        """The table node of the review that is shown, None without one."""
        target = self._session.target
        return None if target is None or not self.organs else find_review_table(self._session.scene, target)

    @property
    def chart(self) -> Any:
        """The plot chart node with the profile of :attr:`shown_organ`, None without a review."""
        return None if self.table is None else chart_of(self.table)

    def put(self, target_node: Any, volume_node: Any, book: Book) -> None:
        """A review as it is now, of the target that is shown or of another: into its table, and on the screen."""
        session = self._session
        if book.reviews:
            write_review(session.scene, target_node, volume_node, book)
        else:
            self._drop_nodes(target_node)
        if volume_node is session.volume_node:
            self._books[target_node.GetID()] = book
            if target_node is session.target:
                self._changed()

    def book_of(self, target_node: Any, volume_node: Any) -> Book:
        """The review of any segmentation, if it is of this volume."""
        if volume_node is self._session.volume_node and target_node.GetID() in self._books:
            return self._books[target_node.GetID()]
        table = find_review_table(self._session.scene, target_node)
        mine = table is not None and table.GetNodeReferenceID(VOLUME) == volume_node.GetID()
        return (read_review(table) if mine else None) or Book()

    def say(self, text: str) -> None:
        """One line for the person, in the review section and ("" is nothing to say) in the log."""
        if text:
            self._session.log.add(text)
        self.message = text
        self._session.changed.emit(Change.SLICE)

    def _is_current(self, finding: SliceFinding) -> bool:
        current = self.current
        return current is not None and (current.organ, current.index) == (finding.organ, finding.index)

    def _changed(self) -> None:
        if self.current is not None:  # the same slice, as it is judged now
            review = self.book.of(self.current.organ)
            self.current = None if review is None else review.at(self.current.index)
        self._draw()
        self._mark()
        self._session.changed.emit(Change.REVIEW)

    def _draw(self) -> None:
        if self.profile is not None and self.table is not None:
            show_profile(self._session.scene, self.table, self.profile, structure(self.shown_organ).rgb)

    def _mark(self) -> None:
        here = self.current if self.current is not None and self.current.organ == self.shown_organ else None
        if self.table is not None:
            move_marker(self.table, None if here is None else here.number)

    def _drop_nodes(self, target_node: Any) -> None:
        table = find_review_table(self._session.scene, target_node)
        if table is not None:
            remove_profile(self._session.scene, table)
            self._session.scene.RemoveNode(table)

"""The list, the counts and the seen marks of a review, without a scene."""

from __future__ import annotations

from TwoStageSegLib.review.book import Book, Counts
from TwoStageSegLib.review.findings import Basis, OrganReview, SliceFinding


def review(organ: str, flags: dict[int, float], slices: int = 6) -> OrganReview:
    """Planes 0..slices-1; those in ``flags`` are flagged, with that score."""
    found = (
        SliceFinding(organ, i, (0.0, 0.0, float(i)), 1.0, flags.get(i, 0.0), ("x",) * (i in flags), i in flags)
        for i in range(slices)
    )
    return OrganReview(organ, Basis.SUSPICION, tuple(found))


def places(book: Book, organ: str = "") -> list[tuple[str, int]]:
    return [(f.organ, f.index) for f in book.flagged(organ)]


def test_worst_first_over_organs_and_for_one():
    book = Book().with_review(review("A", {1: 0.5, 4: 0.9})).with_review(review("B", {2: 0.9, 3: 0.6}))
    assert places(book) == [("A", 4), ("B", 2), ("B", 3), ("A", 1)]
    assert places(book, "A") == [("A", 4), ("A", 1)] and book.organs == ("A", "B")
    assert book.counts() == Counts(0, 4, 12) and book.counts("B") == Counts(0, 2, 6)
    assert book.counts("C") == Counts(0, 0, 0) and book.of("C") is None


def test_seen_is_marked_and_taken_back():
    book = Book().with_review(review("A", {1: 0.5}))
    flagged, other = book.flagged()[0], book.reviews[0].slices[3]
    marked = book.marked(flagged).marked(other)
    assert marked.is_seen(flagged) and marked.is_seen(other) and marked.counts() == Counts(1, 1, 6)
    assert not book.is_seen(flagged)  # the book before is as it was
    assert marked.marked(flagged, False).counts() == Counts(0, 1, 6)


def test_what_was_seen_stays_seen_only_if_it_is_the_same():
    book = Book().with_review(review("A", {1: 0.5, 2: 0.5})).with_review(review("B", {0: 0.5}))
    for finding in (*book.flagged(), book.of("A").slices[4], book.of("A").slices[5]):
        book = book.marked(finding)
    # plane 2 was drawn anew, plane 4 is flagged for the first time, 1 and 5 are as they were
    after = book.with_review(review("A", {1: 0.6, 2: 0.6, 4: 0.6}), "digest", frozenset({2}))
    assert {p for p in after.seen if p[0] == "A"} == {("A", 1), ("A", 5)}
    assert ("B", 0) in after.seen and after.voxels["A"] == "digest" and after.organs == ("A", "B")
    unknown = book.with_review(review("A", {1: 0.6}))  # nobody knows what was done to the contour
    assert {p for p in unknown.seen if p[0] == "A"} == set()


def test_an_organ_can_be_forgotten():
    book = Book().with_review(review("A", {1: 0.5}), "d").with_review(review("B", {0: 0.5}), "e")
    book = book.marked(book.flagged()[0]).without("A")
    assert book.organs == ("B",) and book.voxels == {"B": "e"} and book.seen == frozenset()

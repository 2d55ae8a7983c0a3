"""A review as it is read: the findings of all organs, worst first, and which slices a person has looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .findings import OrganReview, SliceFinding, worst_first

Place = tuple[str, int]
"""Organ and plane of the standard array."""


@dataclass(frozen=True)
class Counts:
    """How far a review has come. ``seen`` counts flagged slices only."""

    seen: int
    flagged: int
    slices: int


@dataclass(frozen=True)
class Book:
    """Immutable: every act returns another one.

    Parameters
    ----------
    reviews : one per organ, in the order in which they came.
    seen : slices that a person has marked as looked at, flagged or not.
    voxels : by organ, the digest of the mask that its review is about; "" or missing if nobody knows.
    """

    reviews: tuple[OrganReview, ...] = ()
    seen: frozenset[Place] = frozenset()
    voxels: Mapping[str, str] = field(default_factory=dict)

    @property
    def organs(self) -> tuple[str, ...]:
        return tuple(r.organ for r in self.reviews)

    def of(self, organ: str) -> OrganReview | None:
        return next((r for r in self.reviews if r.organ == organ), None)

    def flagged(self, organ: str = "") -> tuple[SliceFinding, ...]:
        """Flagged slices, worst first, of one organ or ("") of all."""
        return worst_first(tuple(r for r in self.reviews if organ in ("", r.organ)))

    def counts(self, organ: str = "") -> Counts:
        """Of one organ, or ("") of all."""
        flagged = self.flagged(organ)
        slices = sum(len(r.slices) for r in self.reviews if organ in ("", r.organ))
        return Counts(sum((f.organ, f.index) in self.seen for f in flagged), len(flagged), slices)

    def is_seen(self, finding: SliceFinding) -> bool:
        return (finding.organ, finding.index) in self.seen

    def marked(self, finding: SliceFinding, seen: bool = True) -> Book:
        """With a slice marked as seen, or as not seen."""
        place = {(finding.organ, finding.index)}
        return replace(self, seen=self.seen | place if seen else self.seen - place)

    def with_review(self, review: OrganReview, voxels: str = "", changed: frozenset[int] | None = None) -> Book:
        """With the review of one organ put in the place of its last one.

        A slice stays seen if its contour is the same and it is not flagged for the first time: what was looked at is
        then what is there.

        Parameters
        ----------
        voxels : digest of the mask. changed : planes whose contour differs from the last review's; None: all do.
        """
        before = self.of(review.organ)
        was_flagged = frozenset() if before is None else frozenset(s.index for s in before.flagged)
        kept = {p for p in self.seen if p[0] != review.organ}
        if before is not None and changed is not None:
            new_flags = {s.index for s in review.flagged} - was_flagged
            kept |= {p for p in self.seen if p[0] == review.organ and p[1] not in changed | new_flags}
        reviews = tuple(review if r.organ == review.organ else r for r in self.reviews)
        reviews = reviews if before is not None else (*self.reviews, review)
        return Book(reviews, frozenset(kept), {**self.voxels, review.organ: voxels})

    def without(self, organ: str) -> Book:
        """As if the organ had never been reviewed."""
        return Book(
            tuple(r for r in self.reviews if r.organ != organ),
            frozenset(p for p in self.seen if p[0] != organ),
            {k: v for k, v in self.voxels.items() if k != organ},
        )

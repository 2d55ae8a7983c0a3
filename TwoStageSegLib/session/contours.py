"""What this session remembers of contours: voxels by digest, and what was said of them."""

from __future__ import annotations

from typing import TypeVar

from ..mask import Mask
from ..review.findings import OrganReview
from .target import digest

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_LIMIT = 200  # of each; a parotid on a planning CT is 30 kB

Judged = tuple[str, str, str]
"""ID of the volume node, organ, digest."""


class Contours:
    """The last ones; what came first is forgotten first. So an undo needs no second judgement."""

    def __init__(self) -> None:
        self._masks: dict[str, Mask] = {}
        self._reviews: dict[Judged, OrganReview | None] = {}

    def keep(self, mask: Mask) -> str:
        """Remember a contour; returns its digest."""
        voxels = digest(mask)
        _put(self._masks, voxels, mask.trimmed())
        return voxels

    def mask(self, voxels: str) -> Mask | None:
        """The contour with this digest, None if it is not known here."""
        return self._masks.get(voxels)

    def judged(self, key: Judged, review: OrganReview | None) -> None:
        """The model has judged a contour; None: it cannot."""
        _put(self._reviews, key, review)

    def knows(self, key: Judged) -> bool:
        return key in self._reviews

    def review(self, key: Judged) -> OrganReview | None:
        return self._reviews.get(key)

    def clear(self) -> None:
        self._masks.clear()
        self._reviews.clear()


def _put(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    known.pop(key, None)
    known[key] = value
    while len(known) > _LIMIT:
        del known[next(iter(known))]

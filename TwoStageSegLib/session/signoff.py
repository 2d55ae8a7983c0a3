"""Sign-off: a person has reviewed an organ. Written as tags on its segment, so that it is saved with the contour.

Who signed is not stored; that is the application's or the hospital's to know. A sign-off names the voxels it is
about, so that it cannot outlive them, whatever program has changed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import __version__
from ..outputs.audit import now
from ..review.book import Counts
from ..scene.store import tag_of

_WHEN, _TOOL, _SEEN, _VOXELS = (f"TwoStageSeg.SignedOff{part}" for part in ("", "By", "Seen", "Voxels"))
_WITHDRAWN = "TwoStageSeg.SignOffWithdrawn"


@dataclass(frozen=True)
class SignOff:
    """When (UTC), with which version of the tool, and how many of the flagged slices had been seen (``3/12``)."""

    when: str
    tool: str
    seen: str
    voxels: str

    def as_json(self) -> Mapping[str, str]:
        return {"when": self.when, "tool": self.tool, "flagged_slices_seen": self.seen}


def signed(segment: Any) -> SignOff | None:
    """The sign-off that a segment carries."""
    when = tag_of(segment, _WHEN)
    return SignOff(when, tag_of(segment, _TOOL), tag_of(segment, _SEEN), tag_of(segment, _VOXELS)) if when else None


def sign(segment: Any, counts: Counts, voxels: str) -> SignOff:
    """Write it. ``voxels`` : digest of what is signed."""
    made = SignOff(now(), f"twostageseg {__version__}", f"{counts.seen}/{counts.flagged}", voxels)
    for name, value in ((_WHEN, made.when), (_TOOL, made.tool), (_SEEN, made.seen), (_VOXELS, made.voxels)):
        segment.SetTag(name, value)
    segment.RemoveTag(_WITHDRAWN)
    return made


def withdraw(segment: Any) -> bool:
    """Take it back, and leave a note that it was; False if there was none."""
    if signed(segment) is None:
        return False
    for name in (_WHEN, _TOOL, _SEEN, _VOXELS):
        segment.RemoveTag(name)
    segment.SetTag(_WITHDRAWN, now())
    return True

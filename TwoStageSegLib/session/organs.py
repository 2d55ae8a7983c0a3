"""One row of the panel: an organ, where it is, who said so, what has to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..manifest import OrganSpec
from ..region import Region, Source, Status

Rgb = tuple[int, int, int]


class RowStatus(StrEnum):
    """The words of the status column; a view may translate them, by member."""

    NOT_RUN = "–"
    WORKING = "working"
    LOCATED = "located"
    LOW_CONFIDENCE = "low confidence: check its box"
    NOT_LOCATED = "not located: click its centre or draw a box"
    YOUR_CLICK = "your click"
    YOUR_BOX = "your box"
    KEPT = "kept: your segment stays"


class Note(StrEnum):
    """What else there is to say about a result."""

    NONE = ""
    MOVED = "moved: will be redone"
    REDO = "will be redone"
    EMPTY = "nothing found there: move it"
    EDGE = "touches the edge of its box: enlarge it"
    CUT = "reaches the end of the scan: may be cut"


@dataclass
class OrganState:
    """What is known about one organ of one volume.

    Parameters
    ----------
    name, rgb : TG-263 name and display colour (0..255).
    crop_zyx_mm : the size a box gets that is drawn around a point.
    region : where it is; None before the first run and after "auto again".
    stale : the region has changed since it was segmented. running : it is being worked on.
    """

    name: str
    rgb: Rgb
    crop_zyx_mm: tuple[float, float, float]
    ticked: bool = True
    region: Region | None = None
    stale: bool = False
    running: bool = False
    kept: bool = False
    note: Note = Note.NONE
    volume_ml: float | None = None

    @classmethod
    def of(cls, spec: OrganSpec) -> OrganState:
        r, g, b = spec.rgb
        z, y, x = spec.crop_mm
        return cls(spec.name, (r, g, b), (z, y, x))

    @property
    def yours(self) -> bool:
        """True if a person said where the organ is."""
        return self.region is not None and self.region.source in (Source.CLICK, Source.BOX)

    @property
    def status(self) -> RowStatus:
        if self.running:
            return RowStatus.WORKING
        if self.kept:
            return RowStatus.KEPT
        if self.region is None:
            return RowStatus.NOT_RUN
        if self.yours:
            return RowStatus.YOUR_CLICK if self.region.source is Source.CLICK else RowStatus.YOUR_BOX
        return {
            Status.LOCATED: RowStatus.LOCATED,
            Status.LOW_CONFIDENCE: RowStatus.LOW_CONFIDENCE,
            Status.NOT_LOCATED: RowStatus.NOT_LOCATED,
        }[self.region.status]

    @property
    def remark(self) -> Note:
        if self.stale and not self.running:
            return Note.MOVED if self.region is not None else Note.REDO
        return self.note

    @property
    def score(self) -> float | None:
        """How sure the locator was; None where a person said it or nothing was said."""
        return None if self.region is None or self.yours else self.region.score

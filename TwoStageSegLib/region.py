"""Region: what every way of locating an organ returns.

A network, a click, a drawn box and a reference contour all make the same type, so that nothing after it can tell
them apart. "Not located" is a result with a status, never an exception and never silent zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputRefused
from .geometry import Geometry


class Kind(StrEnum):
    BOX = "box"
    CENTRE = "centre"
    CENTRES = "centres"
    SLICE_RANGE = "slice_range"


class Source(StrEnum):
    AUTO = "auto"
    CLICK = "click"
    BOX = "box"
    REFERENCE = "reference"


class Status(StrEnum):
    LOCATED = "located"
    LOW_CONFIDENCE = "low confidence"
    NOT_LOCATED = "not located"


Point = tuple[float, float, float]
IDENTITY: tuple[Point, Point, Point] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Region:
    """Where one organ is, in LPS mm.

    Parameters
    ----------
    organ : TG-263 name.
    kind : what is known. BOX: ``centre_lps`` and ``size_mm``; CENTRE: ``centre_lps``; CENTRES: ``centres_lps``, one
        per slice; SLICE_RANGE: ``centre_lps`` and the third component of ``size_mm``.
    source, status, score : who said so, how sure (0..1).
    centre_lps : centre, LPS mm.
    size_mm : full edge lengths along the region's own x, y, z.
    axes : 3x3, columns are those x, y, z as LPS unit vectors (identity unless the box is oblique).
    """

    organ: str
    kind: Kind
    source: Source
    status: Status = Status.LOCATED
    score: float = 1.0
    centre_lps: Point | None = None
    size_mm: Point | None = None
    axes: tuple[Point, Point, Point] = IDENTITY
    centres_lps: tuple[Point, ...] = ()

    @classmethod
    def click(cls, organ: str, point_lps, source: Source = Source.CLICK) -> Region:
        """The organ's centre, as a user clicks it."""
        return cls(organ, Kind.CENTRE, source, centre_lps=_point(point_lps, "click"))

    @classmethod
    def box(cls, organ: str, bounds_lps, source: Source = Source.BOX) -> Region:
        """A box from ``(x0, x1, y0, y1, z0, z1)``, LPS mm; swapped ends are put in order, a zero size is refused."""
        try:
            bounds = np.asarray(bounds_lps, float).reshape(3, 2)
        except (ValueError, TypeError):
            raise InputRefused(
                "E_BOX", f"The box of {organ} needs six numbers: x0, x1, y0, y1, z0, z1 in mm."
            ) from None
        if not np.isfinite(bounds).all():
            raise InputRefused("E_BOX", f"The box of {organ} has a bound that is not a number.")
        lo, hi = bounds.min(1), bounds.max(1)
        if (hi - lo < 0.1).any():
            raise InputRefused("E_BOX", f"The box of {organ} has no size along at least one axis. Draw it again.")
        return cls(organ, Kind.BOX, source, centre_lps=_point((lo + hi) / 2), size_mm=_point(hi - lo))

    @classmethod
    def not_located(cls, organ: str, score: float = 0.0, source: Source = Source.AUTO) -> Region:
        return cls(organ, Kind.BOX, source, Status.NOT_LOCATED, score)

    @classmethod
    def automatic(
        cls, organ: str, kind: Kind, score: float, low_score: float, centre_lps, size_mm, axes, centres_lps=()
    ) -> Region:
        """What a locator found: located from a score of ``low_score`` on, below it low confidence. Points and sizes
        as in the class."""
        status = Status.LOCATED if score >= low_score else Status.LOW_CONFIDENCE
        points = tuple(_point(p) for p in centres_lps)
        frame = (_point(axes[0]), _point(axes[1]), _point(axes[2]))
        return cls(organ, kind, Source.AUTO, status, score, _point(centre_lps), _point(size_mm), frame, points)

    @property
    def locator_score(self) -> float | None:
        """How sure the locator was; None where a person or a reference said where."""
        return self.score if self.source == Source.AUTO else None

    @property
    def usable(self) -> bool:
        """True if there is something to segment around."""
        return self.status != Status.NOT_LOCATED and self.centre_lps is not None

    @property
    def bounds_lps(self) -> tuple[float, ...] | None:
        """Axis-aligned LPS bounds ``(x0, x1, y0, y1, z0, z1)`` around the (possibly oblique) box, or None."""
        if self.centre_lps is None or self.size_mm is None:
            return None
        half = np.abs(np.asarray(self.axes)) @ (np.asarray(self.size_mm) / 2)
        centre = np.asarray(self.centre_lps)
        return tuple(float(v) for pair in zip(centre - half, centre + half, strict=True) for v in pair)

    def corners_lps(self) -> NDArray[np.float64]:
        """The box's eight corners, shape (8, 3), LPS mm."""
        if self.centre_lps is None or self.size_mm is None:
            raise ValueError("only a box has corners")
        signs = np.array([[a, b, c] for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5)])
        return (signs * self.size_mm) @ np.asarray(self.axes).T + self.centre_lps

    def padded(self, margin_mm) -> Region:
        """The box grown by ``margin_mm`` on every side: a number, or one per axis (x, y, z)."""
        if self.size_mm is None:
            return self
        return replace(self, size_mm=_point(np.asarray(self.size_mm) + 2 * np.asarray(margin_mm, float)))

    def check_inside(self, geometry: Geometry) -> None:
        """Refuse a region whose centre is outside the image, with a message for the person who placed it."""
        if self.centre_lps is None:
            return
        if self.size_mm is not None:
            index = geometry.lps_to_index(self.corners_lps())
            outside = (index.max(0) < -0.5).any() or (index.min(0) > np.asarray(geometry.shape_zyx) - 0.5).any()
        else:
            outside = not geometry.contains(self.centre_lps)
        if outside:
            what = "box" if self.size_mm is not None else "centre"
            x, y, z = self.centre_lps
            raise InputRefused(
                "E_OUTSIDE",
                f"The {what} of {self.organ} at ({x:.1f}, {y:.1f}, {z:.1f}) mm LPS lies outside the image. Move it.",
            )

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON; the inverse of :meth:`from_json`."""
        return {
            "organ": self.organ,
            "kind": self.kind.value,
            "source": self.source.value,
            "status": self.status.value,
            "score": round(float(self.score), 4),
            "centre_lps": self.centre_lps,
            "size_mm": self.size_mm,
            "axes": self.axes,
            "centres_lps": self.centres_lps,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Region:
        return cls(
            organ=str(value["organ"]),
            kind=Kind(value["kind"]),
            source=Source(value["source"]),
            status=Status(value["status"]),
            score=float(value["score"]),
            centre_lps=None if value["centre_lps"] is None else _point(value["centre_lps"]),
            size_mm=None if value["size_mm"] is None else _point(value["size_mm"]),
            axes=(_point(value["axes"][0]), _point(value["axes"][1]), _point(value["axes"][2])),
            centres_lps=tuple(_point(p) for p in value["centres_lps"]),
        )


def _point(values, what: str = "point") -> Point:
    try:
        x, y, z = (float(v) for v in values)
    except (ValueError, TypeError):
        raise InputRefused("E_POINT", f"The {what} needs three numbers: x, y, z in mm.") from None
    if not np.isfinite((x, y, z)).all():
        raise InputRefused("E_POINT", f"The {what} has a coordinate that is not a number.")
    return x, y, z

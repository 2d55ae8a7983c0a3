"""The review section as plain values: the list, the profile along one organ, and how far the review has come."""

from __future__ import annotations

from typing import Any

from ..review.findings import SliceFinding
from ..session import Session, words
from ..structures import structure

WIDTH, HEIGHT, MARGIN = 340.0, 90.0, 8.0
"""The profile's picture, in its own units; the page scales it."""

_LIST_LENGTH = 300  # a list that nobody reads to its end would only make the page slow


def shown(session: Session) -> dict[str, Any]:
    """What the review section draws."""
    reviewing = session.reviewing
    organ, current = reviewing.shown_organ, reviewing.current
    return {
        "possible": bool(reviewing.organs),
        "heading": words.review_heading(reviewing.counts(reviewing.organ)),
        "message": reviewing.message,
        "organs": [{"name": o, "text": f"{o} ({reviewing.counts(o).flagged})"} for o in reviewing.organs],
        "organ": reviewing.organ,
        "rows": [_row(session, f) for f in reviewing.findings[:_LIST_LENGTH]],
        "has_next": reviewing.has_next,
        "has_previous": reviewing.has_previous,
        "current": None if current is None else {**_row(session, current), "line": words.review_line(current)},
        "profile": _profile(session, organ),
        "can_sign": bool(organ) and reviewing.can_sign_off(organ),
        "sign": words.sign_off_text(organ, reviewing.counts(organ)) if organ else "",
        "signed": words.signed_text(reviewing.signed(organ)) if organ else "",
        "outdated": words.outdated_text(reviewing.outdated),
        "references": _references(session),
        "reference": "" if reviewing.reference is None else reviewing.reference.GetID(),
    }


def _row(session: Session, finding: SliceFinding) -> dict[str, Any]:
    reviewing, current = session.reviewing, session.reviewing.current
    return {
        "organ": finding.organ,
        "index": finding.index,
        "number": finding.number,
        "why": finding.text,
        "figure": words.figure_text(finding, reviewing.reference is not None),
        "seen": reviewing.is_seen(finding),
        "current": current is not None and (current.organ, current.index) == (finding.organ, finding.index),
    }


def _profile(session: Session, organ: str) -> dict[str, Any] | None:
    """One point per slice of an organ, feet to head, in the picture's units; high is suspicious."""
    review = session.reviewing.profile
    if review is None or not review.slices:
        return None
    first, last = review.slices[0].number, review.slices[-1].number
    step = (WIDTH - 2 * MARGIN) / max(last - first, 1)
    r, g, b = structure(organ).rgb
    points = [
        {
            "x": round(MARGIN + (s.number - first) * step, 1),
            "y": round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * s.score, 1),
            "index": s.index,
            "flagged": s.flagged,
            "text": f"slice {s.number}: {s.score:.2f}, {s.text}",
        }
        for s in review.slices
    ]
    current = session.reviewing.current
    mine = current is not None and current.organ == organ
    return {
        "organ": organ,
        "colour": f"rgb({r}, {g}, {b})",
        "points": points,
        "line": " ".join(f"{p['x']},{p['y']}" for p in points),
        "mark": next((p["x"] for p in points if mine and current is not None and p["index"] == current.index), None),
        "ends": [first, last],
        "what": "1 - Dice" if review.slices[0].dice is not None else "risk",
    }


def _references(session: Session) -> list[dict[str, str]]:
    """Segmentations that the target can be compared with."""
    nodes = session.scene.GetNodesByClass("vtkMRMLSegmentationNode")
    others = [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())]
    return [{"id": n.GetID(), "name": n.GetName()} for n in others if n is not session.target]

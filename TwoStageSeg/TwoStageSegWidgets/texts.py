"""The session's words in the user's language. What the engine says in an error stays English in this version."""

from __future__ import annotations

from slicer.i18n import tr as _

from TwoStageSegLib.model import Model
from TwoStageSegLib.session import Note, Origin, RowStatus, description


def status_text(status: RowStatus) -> str:
    return {
        RowStatus.NOT_RUN: "–",
        RowStatus.WORKING: _("working"),
        RowStatus.LOCATED: _("located"),
        RowStatus.LOW_CONFIDENCE: _("low confidence: check its box"),
        RowStatus.NOT_LOCATED: _("not located: click its centre or draw a box"),
        RowStatus.YOUR_CLICK: _("your click"),
        RowStatus.YOUR_BOX: _("your box"),
        RowStatus.KEPT: _("kept: your segment stays"),
    }[status]


def note_text(note: Note) -> str:
    return {
        Note.NONE: "",
        Note.MOVED: _("moved: will be redone"),
        Note.REDO: _("will be redone"),
        Note.EMPTY: _("nothing found there: move it"),
        Note.EDGE: _("touches the edge of its box: enlarge it"),
        Note.CUT: _("reaches the end of the scan: may be cut"),
    }[note]


def origin_text(origin: Origin) -> str:
    return {
        Origin.NONE: "",
        Origin.OURS: _("a result of TwoStageSeg"),
        Origin.EDITED: _("edited since it was made"),
        Origin.FOREIGN: _("not made by TwoStageSeg"),
    }[origin]


def stage_text(stage: str, organ: str) -> str:
    """``stage`` as the pipeline names it."""
    if stage == "locate":
        return _("locating the organs")
    if stage == "segment":
        return _("segmenting {organ}").format(organ=organ)
    return _("starting") if stage == "starting" else _("finishing")


def seconds_text(seconds: float | None) -> str:
    """How long something takes, no more exact than it can be known."""
    if seconds is None:
        return _("time not measured yet")
    if seconds < 90:
        return _("about {count} s").format(count=max(1, round(seconds)))
    return _("about {count} min").format(count=round(seconds / 60))


def model_summary(model: Model) -> str:
    """One or two lines that stand under the model."""
    manifest = model.manifest
    return _("{count} organs · weights: {licence} · {status}").format(
        count=len(manifest.organs), licence=manifest.licence.weights, status=manifest.regulatory_status
    )


def model_html(model: Model) -> str:
    """Everything about a model, as rich text; what a bundle says of itself is escaped."""
    names = {
        "Intended use": _("Intended use"),
        "Not for": _("Not for"),
        "Status": _("Status"),
        "Licence of the weights": _("Licence of the weights"),
        "Trained on": _("Trained on"),
        "Attribution": _("Attribution"),
        "Measured": _("Measured"),
        "Version": _("Version"),
        "SHA-256": "SHA-256",
    }
    pairs = ((names.get(heading, heading), text) for heading, text in description(model) if text)
    return "".join(f"<p><b>{_escaped(heading)}</b><br>{_breakable(_escaped(text))}</p>" for heading, text in pairs)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("; ", "<br>")


def _breakable(text: str) -> str:
    """A hash may be broken across lines: a narrow panel must not be made wide by it."""
    if len(text) == 64 and " " not in text:
        return " ".join(text[i : i + 16] for i in range(0, 64, 16))
    return text

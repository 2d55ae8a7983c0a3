"""The sentences that both views show. ``_`` translates a text; the browser page speaks English and passes none.

Texts are written as ``_("...")`` so that Slicer's translation tools find them here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..model import Model
from ..review.book import Counts
from ..review.findings import SliceFinding
from .organs import Note, OrganState, RowStatus
from .plan import Question
from .runs import Job
from .signoff import SignOff
from .target import Origin

Translate = Callable[[str], str]


def english(text: str) -> str:
    """What a view that is not translated passes as ``_``."""
    return text


def status_text(status: RowStatus, _: Translate = english) -> str:
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


def note_text(note: Note, _: Translate = english) -> str:
    return {
        Note.NONE: "",
        Note.MOVED: _("moved: will be redone"),
        Note.REDO: _("will be redone"),
        Note.EMPTY: _("nothing found there: move it"),
        Note.EDGE: _("touches the edge of its box: enlarge it"),
        Note.CUT: _("reaches the end of the scan: may be cut"),
    }[note]


def row_text(state: OrganState, placing: bool, _: Translate = english) -> str:
    """The line under an organ's name. ``placing``: the next click in a view places this organ."""
    words = [_("click in a slice view") if placing else status_text(state.status, _)]
    if state.score is not None and not state.running:
        words.append(f"{state.score:.2f}")
    if remark := note_text(state.remark, _):
        words.append(remark)
    if state.volume_ml is not None:
        words.append(f"{state.volume_ml:.1f} ml")
    return " · ".join(words)


def origin_text(origin: Origin, _: Translate = english) -> str:
    return {
        Origin.NONE: "",
        Origin.OURS: _("a result of TwoStageSeg"),
        Origin.EDITED: _("edited since it was made"),
        Origin.FOREIGN: _("not made by TwoStageSeg"),
    }[origin]


def question_lines(question: Question, _: Translate = english) -> list[str]:
    """What is asked before a person's work would be overwritten: a heading, then one line per segment."""
    heading = _("These segments would be overwritten. What shall happen to them?")
    return [heading, *(f"{o.organ}: {origin_text(o.origin, _)}" for o in question.overwrites)]


def stage_text(stage: str, organ: str, _: Translate = english) -> str:
    """``stage`` as the pipeline names it."""
    if stage == "locate":
        return _("locating the organs")
    if stage == "segment":
        return _("segmenting {organ}").format(organ=organ)
    return _("starting") if stage == "starting" else _("finishing")


def seconds_text(seconds: float | None, _: Translate = english) -> str:
    """How long something takes, no more exact than it can be known."""
    if seconds is None:
        return _("time not measured yet")
    if seconds < 90:
        return _("about {count} s").format(count=max(1, round(seconds)))
    return _("about {count} min").format(count=round(seconds / 60))


def progress_text(job: Job | None, left_s: float | None, testing: bool, _: Translate = english) -> str:
    """What stands in the progress bar. ``testing``: the self-test of a new model is under way."""
    if job is None:
        return _("testing the new model") if testing else ""
    text = stage_text(job.stage, job.organ, _)
    if left_s is None:
        return text
    return _("{what}, {time} left").format(what=text, time=seconds_text(left_s, _))


def model_summary(model: Model, _: Translate = english) -> str:
    """One or two lines that stand under the model."""
    manifest = model.manifest
    return _("{count} organs · weights: {licence} · {status}").format(
        count=len(manifest.organs), licence=manifest.licence.weights, status=manifest.regulatory_status
    )


def review_heading(counts: Counts, _: Translate = english) -> str:
    """How far a review has come. That there is no flag is not said to be right."""
    if not counts.slices:
        return _("Nothing has been reviewed yet.")
    if not counts.flagged:
        return _("No flag in {slices} slices. Look at them all the same.").format(slices=counts.slices)
    return _("{flagged} of {slices} slices to look at · {seen} seen").format(
        flagged=counts.flagged, slices=counts.slices, seen=counts.seen
    )


def review_line(finding: SliceFinding, _: Translate = english) -> str:
    """Everything about the slice that is shown."""
    known = {"number": finding.number, "organ": finding.organ, "why": finding.text, "area": f"{finding.area_mm2:.0f}"}
    return _("Slice {number}, {organ}: {why} · {area} mm²").format(**known)


def figure_text(finding: SliceFinding, compared: bool, _: Translate = english) -> str:
    """The list's figure: a risk; the slice's Dice where it is compared with a reference.

    ``compared``: a reference is chosen; an organ that it does not hold keeps its risk, and says so.
    """
    if finding.dice is not None:
        return f"{finding.dice:.2f}"
    risk = f"{finding.score:.2f}"
    return _("risk {figure}").format(figure=risk) if compared else risk


def sign_off_text(organ: str, counts: Counts, _: Translate = english) -> str:
    """What the button does."""
    if not counts.flagged:
        return _("Sign off {organ} (no slice flagged)").format(organ=organ)
    return _("Sign off {organ} ({seen} of {flagged} seen)").format(
        organ=organ, seen=counts.seen, flagged=counts.flagged
    )


def outdated_text(organs: Sequence[str], _: Translate = english) -> str:
    """Organs that were edited and wait to be looked at again, "" if there are none."""
    return _("edited, will be reviewed again: {organs}").format(organs=", ".join(organs)) if organs else ""


def signed_text(made: SignOff | None, _: Translate = english) -> str:
    """The sign-off of an organ, "" if there is none."""
    if made is None:
        return ""
    when = made.when[:16].replace("T", " ")  # to the minute
    return _("Signed off {when} UTC, {seen} flagged slices seen").format(when=when, seen=made.seen)

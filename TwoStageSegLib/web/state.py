"""What the page shows of a session, as plain values: one function per section, and none changes anything."""

from __future__ import annotations

from typing import Any

from ..session import MODEL, RUN, TARGET, VOLUME, Installed, Session, description, words

Shown = dict[str, Any]


def ct(session: Session) -> Shown:
    """The scans of this window, the chosen one, what is known and what is wrong about it."""
    nodes = session.scene.GetNodesByClass("vtkMRMLScalarVolumeNode")
    scans = [n for n in (nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())) if _is_scan(n)]
    return {
        "choices": [{"id": n.GetID(), "name": n.GetName()} for n in scans],
        "chosen": "" if session.volume_node is None else session.volume_node.GetID(),
        "text": session.volume_text,
        "problem": session.problems.at(VOLUME),
    }


def model(session: Session, entries: list[Installed]) -> Shown:
    """The installed models, the chosen one, and all that has to be said about it before it is used."""
    chosen, problem = session.model, session.problems.at(MODEL)
    return {
        "choices": [{"name": e.name, "title": e.title} for e in entries],
        "chosen": "" if session.entry is None else session.entry.name,
        "summary": "" if chosen is None else words.model_summary(chosen),
        "about": [] if chosen is None else [list(pair) for pair in description(chosen) if pair[1]],
        "problem": problem or ("" if entries else "No model is installed. Add one from a file."),
    }


def organs(session: Session, chosen: str, adjustable: bool) -> list[Shown]:
    """A row per organ; they keep their places. ``chosen``: the one that the keyboard acts on."""
    rows = []
    for name, row in session.rows.items():
        placing = session.corrections.placing == name
        r, g, b = row.rgb
        rows.append(
            {
                "name": name,
                "colour": f"rgb({r}, {g}, {b})",
                "ticked": row.ticked,
                "text": words.row_text(row, placing),
                "problem": session.problems.at(name),
                "chosen": name == chosen,
                "placing": placing,
                "running": row.running,
                "can_go": row.region is not None and row.region.centre_lps is not None,
                "can_place": adjustable,
                "can_auto": adjustable and (row.yours or row.stale),
            }
        )
    return rows


def run(session: Session) -> Shown:
    """The button, what will happen when it is pressed, and how far it is."""
    job, device = session.runs.job, session.forecast.device_text
    if session.volume_node is not None and session.model is not None and not session.busy:
        device = " · ".join(filter(None, (device, words.seconds_text(session.forecast.seconds))))
    return {
        "busy": session.busy,
        "enabled": (session.busy and not session.link.cancelling) or session.can_run,
        "can_redo": bool(session.corrections.stale) and session.can_run,
        "auto_rerun": session.corrections.auto_rerun,
        "device": session.device,
        "text": device,
        "outcome": session.runs.outcome,
        "problem": session.problems.at(RUN),
        "percent": 0 if job is None else round(100 * job.fraction),
        "stage": words.progress_text(job, session.runs.left_s, session.busy),
    }


def into(session: Session) -> Shown:
    """Where results go, and what happens to what is there."""
    nodes = session.scene.GetNodesByClass("vtkMRMLSegmentationNode")
    found = [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())]
    return {
        "choices": [{"id": n.GetID(), "name": n.GetName()} for n in found],
        "chosen": "" if session.target is None else session.target.GetID(),
        "policy": session.policy.value,
        "problem": session.problems.at(TARGET),
        "can_undo": session.can_undo,
        "any": session.target is not None and session.target.GetSegmentation().GetNumberOfSegments() > 0,
    }


def question(session: Session) -> Shown:
    """What has to be answered before a run begins; ``asked`` is False if nothing."""
    if session.question is None:
        return {"asked": False, "heading": "", "lines": []}
    heading, *lines = words.question_lines(session.question)
    return {"asked": True, "heading": heading, "lines": lines}


def _is_scan(node: Any) -> bool:
    return node.IsA("vtkMRMLScalarVolumeNode") and not node.IsA("vtkMRMLLabelMapVolumeNode")

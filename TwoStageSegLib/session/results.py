"""What stands in the scene now as the engine's :class:`Result`: for the report, the table and the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputRefused
from ..outputs import audit
from ..outputs.report import write_report
from ..pipeline import OrganResult, Result
from ..scene import mask_from_segment
from ..scene.store import tag_of
from ..volume import Volume

if TYPE_CHECKING:
    from .session import Session


def save_report(session: Session, file: Path) -> None:
    """Write the report of what is in the scene now: one page that opens in every browser.

    Raises
    ------
    InputRefused : there is nothing to report, or the file cannot be written.
    """
    volume, result = result_of(session)
    assert session.model is not None
    write_report(file, volume, result, session.model, record=record_of(session))


def result_of(session: Session) -> tuple[Volume, Result]:
    """The chosen scan and every organ that was run on it: its region, and its segment with all edits.

    Raises
    ------
    InputRefused : ``E_NOTHING`` nothing was run; whatever is wrong with the scan or the segmentation.
    """
    rows = {name: row for name, row in session.rows.items() if row.region is not None}
    volume = session.check_volume()
    if volume is None or not rows or session.target is None:
        raise InputRefused("E_NOTHING", "There is nothing to report yet. Locate and segment first.")
    target = session.target_for(session.volume_node)
    organs = []
    for name, row in rows.items():
        segment_id = target.segment_of(name)
        mask = None if segment_id is None else mask_from_segment(session.target, segment_id, volume)
        assert row.region is not None
        review = session.reviewing.book.of(name)
        organs.append(OrganResult(name, row.region, None if mask is None or mask.empty else mask, {}, review))
    return volume, Result(tuple(organs), session.forecast.device_text, {})


def record_of(session: Session) -> dict[str, Any] | None:
    """The audit record of what stands in the scene, from the segments that carry it; None if none does."""
    whole: dict[str, Any] | None = None
    for name in session.rows:
        segment = session.reviewing.rechecks.segment_of(name)
        record = None if segment is None else audit.read(tag_of(segment, audit.TAG))
        if record is not None:
            whole = whole or {**record, "organs": {}}
            whole["organs"] |= {name: record["organs"][name]} if name in record["organs"] else {}
    return whole

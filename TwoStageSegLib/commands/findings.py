"""What a run found, for scripts (a dictionary for ``--json``) and for the screen (an aligned table)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import RESEARCH_NOTICE, __version__
from ..model import Model
from ..outputs.audit import result_record
from ..outputs.review_data import counts_text, review_json
from ..pipeline import OrganResult, Result
from ..region import Region, Status
from ..volume import Volume

EDGE_NOTE = "reaches the edge of its crop: enlarge the box"
CUT_NOTE = "reaches the edge of the scan: part of it may be missing"
EMPTY_NOTE = "nothing was found in the region: move it"


def is_missing(organ: OrganResult) -> bool:
    """True if there is no contour for an organ that was to be segmented."""
    return organ.mask is None


def as_json(
    volume: Volume, result: Result, model: Model, segmented: bool = True, record: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Everything known about a run, as plain values. No name or path of the input.

    Parameters
    ----------
    segmented : False for ``locate``, where a region without a mask is a full answer.
    record : the audit record, if more is known than the result says.
    """
    manifest = model.manifest
    return {
        "schema": "twostageseg-result/1",
        "tool": {"name": "twostageseg", "version": __version__},
        "notice": RESEARCH_NOTICE,
        "model": {"name": manifest.name, "version": manifest.version, "sha256": model.sha256},
        "device": result.device,
        "image": {
            "size_xyz": list(volume.geometry.shape_zyx[::-1]),
            "spacing_xyz_mm": list(volume.geometry.spacing_xyz_mm),
        },
        "seconds": {stage: round(value, 4) for stage, value in result.seconds.items()},
        "notices": list(result.notices),
        "organs": {organ.organ: _organ_json(organ, segmented) for organ in result.organs},
        "audit": record or result_record(result, model, {}),
    }


def table(result: Result, model: Model, segmented: bool = True) -> str:
    """One line per organ, then notices, the model and the research notice."""
    head = ["organ", "status", "from", "score", "ml" if segmented else "centre, LPS mm"]
    rows: list[Sequence[str]] = [(*head, *(["slices to look at"] if segmented else []), "note")]
    for organ in result.organs:
        region = organ.region
        figure = f"{organ.mask.volume_ml:.1f}" if organ.mask is not None else ""
        if not segmented:
            figure = " ".join(f"{c:.1f}" for c in region.centre_lps or ())
        cells = [organ.organ, status_of(organ, segmented), region.source.value, f"{region.score:.2f}", figure]
        if segmented:
            cells.append(counts_text(organ.review) if organ.mask is not None else "")
        rows.append((*cells, "; ".join(notes(organ, segmented))))
    lines = aligned(rows)
    lines += [f"Note: {text}" for text in result.notices]
    total = result.seconds.get("total")
    time = f" · {total:.1f} s" if total is not None else ""
    lines += ["", f"Model {model.name} {model.manifest.version} · {result.device}{time}", RESEARCH_NOTICE]
    return "\n".join(lines)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines whose columns begin below each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def status_of(organ: OrganResult, segmented: bool = True) -> str:
    """ "not located" also if the region turned out to be empty: exit code 4 and this word go together."""
    if segmented and is_missing(organ):
        return Status.NOT_LOCATED.value
    return organ.region.status.value


def notes(organ: OrganResult, segmented: bool = True) -> list[str]:
    """What the person should look at, per organ."""
    found = []
    if organ.mask is not None and organ.mask.touches_edge:
        found.append(EDGE_NOTE)
    if organ.mask is not None and organ.mask.at_image_edge:
        found.append(CUT_NOTE)
    if segmented and organ.mask is None and organ.region.usable:
        found.append(EMPTY_NOTE)
    return found


def _organ_json(organ: OrganResult, segmented: bool) -> dict[str, Any]:
    region = organ.region
    value: dict[str, Any] = {
        "status": status_of(organ, segmented),
        "source": region.source.value,
        "score": round(float(region.score), 4),
        "region": _region_json(region),
    }
    if segmented:
        value |= {
            "volume_ml": round(organ.mask.volume_ml, 3) if organ.mask is not None else 0.0,
            "touches_edge": organ.mask is not None and organ.mask.touches_edge,
            "seconds": {stage: round(s, 4) for stage, s in organ.seconds.items()},
            "review": review_json(organ.review),
        }
    return value | {"notes": notes(organ, segmented)}


def _region_json(region: Region) -> dict[str, Any] | None:
    """The region in LPS mm; None if there is none."""
    if not region.usable:
        return None
    whole = region.as_json()
    keys = ("kind", "centre_lps", "size_mm", "axes", "centres_lps")
    return {**{key: whole[key] for key in keys}, "bounds_lps": region.bounds_lps}

"""The audit record: how a contour came about. Built here alone, carried by every output.

Tool, model, device, parameters and times of the run; for every organ its region and who said it, what was flagged,
what a person changed and whether it was signed off. Nothing of the input but its grid's numbers: no name, no path, no
tag of a file is ever handed to this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .. import RESEARCH_NOTICE, __version__
from ..region import Region
from ..review.findings import OrganReview

if TYPE_CHECKING:
    from ..model import Model
    from ..pipeline import Result

SCHEMA = "twostageseg-audit/1"
TAG = "TwoStageSeg.Audit"
"""Name of the segment tag that carries it."""


def now() -> str:
    """The time, UTC, as it is written everywhere: ``2026-01-31T12:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def audit_record(
    model: Model | None,
    device: str,
    parameters: Mapping[str, Any],
    seconds: Mapping[str, float],
    organs: Mapping[str, Mapping[str, Any]],
    written: str | None = None,
) -> dict[str, Any]:
    """The whole record, as plain values.

    Parameters
    ----------
    model : what was computed with; None if nothing was (a comparison with a reference).
    device : as the pipeline names it, "" if nothing was computed. parameters : what was asked for.
    seconds : by stage. organs : by TG-263 name, from :func:`organ_record`. written : UTC; None for now.
    """
    stamp = None
    if model is not None:
        stamp = {"name": model.name, "version": model.manifest.version, "sha256": model.sha256}
    return {
        "schema": SCHEMA,
        "tool": {"name": "twostageseg", "version": __version__},
        "model": stamp,
        "device": device,
        "parameters": dict(parameters),
        "seconds": {stage: round(float(value), 4) for stage, value in seconds.items()},
        "written": written or now(),
        "organs": {name: dict(record) for name, record in organs.items()},
        "notice": RESEARCH_NOTICE,
    }


def organ_record(
    region: Region | None,
    review: OrganReview | None,
    seconds: Mapping[str, float] | None = None,
    edits: Mapping[str, int] | None = None,
    signed_off: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The part of one organ.

    Parameters
    ----------
    edits : ``voxels_added`` and ``voxels_removed`` since it was computed; None if nobody has changed it.
    signed_off : time, tool and number of slices seen; None if it is not signed off.
    """
    return {
        "region": None if region is None else _region(region),
        "seconds": {stage: round(float(value), 4) for stage, value in (seconds or {}).items()},
        "flags": flags_record(review),
        "edits": None if edits is None else dict(edits),
        "signed_off": None if signed_off is None else dict(signed_off),
    }


def result_record(result: Result, model: Model, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run of the pipeline; ``parameters`` : what was asked for."""
    organs = {o.organ: organ_record(o.region, o.review, o.seconds) for o in result.organs}
    return audit_record(model, result.device, parameters, result.seconds, organs)


def flags_record(review: OrganReview | None) -> dict[str, Any] | None:
    """What was flagged, worst first; None if the organ was not reviewed."""
    if review is None:
        return None
    return {
        "basis": review.basis.value,
        "slices": len(review.slices),
        "flagged": [
            {"slice": s.number, "score": round(float(s.score), 4), "reasons": list(s.reasons)} for s in review.flagged
        ],
        "notes": list(review.notes),
    }


def compact(record: Mapping[str, Any]) -> str:
    """One line of JSON for a tag or a comment; ``|``, which ends a segment tag, is written as an escape."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False).replace("|", "\\u007c")


def organ_tags(record: Mapping[str, Any], organs: Sequence[str]) -> dict[str, dict[str, str]]:
    """The segment tag of each organ: the record with that organ alone."""
    return {
        name: {TAG: compact({**record, "organs": {name: record["organs"][name]}})}
        for name in organs
        if name in record["organs"]
    }


def read(text: str) -> dict[str, Any] | None:
    """A record back from a tag, None if it is none of ours."""
    try:
        record = json.loads(text)
        return record if record["schema"] == SCHEMA and isinstance(record["organs"], dict) else None
    except (ValueError, KeyError, TypeError):
        return None


def changed(text: str, organ: str, **parts: Any) -> str:
    """A tag's text with some parts of the organ's record replaced; "" if it is no record of ours."""
    record = read(text)
    if record is None or organ not in record["organs"]:
        return ""
    record["organs"][organ] = {**record["organs"][organ], **parts}
    return compact(record)


def _region(region: Region) -> dict[str, Any]:
    whole = region.as_json()
    kept = ("kind", "source", "status", "score", "centre_lps", "size_mm", "axes", "centres_lps")
    return {key: whole[key] for key in kept}

"""What a run needs, gathered from what is chosen; and the record of what it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import Model
from ..outputs.audit import audit_record, organ_record
from ..pipeline import OrganResult
from ..volume import Volume
from .plan import Plan
from .runs import Job

if TYPE_CHECKING:
    from .session import Session


def job_for(session: Session, model: Model, decision: Plan, volume: Volume) -> Job:
    """The job of a run that was decided on."""
    given = ((n, session.rows[n]) for n in decision.organs)
    regions = {n: row.region for n, row in given if row.yours and row.region is not None}
    volume_node = session.volume_node
    return Job(
        model,
        session.device,
        volume_node,
        volume,
        session.volume_key(volume),
        session.rows,
        decision.organs,
        regions,
        decision.policies,
        lambda: session.target_for(volume_node),
        None if session.target is None else session.target_for(volume_node),
        session.forecast.of(len(decision.organs), len(regions) == len(decision.organs), volume),
    )


def record_for(job: Job, result: OrganResult, device: str) -> dict[str, Any]:
    """The audit record of one organ of a run. ``device`` : as the worker named it."""
    asked = {"organs": list(job.organs), "placed_by_hand": sorted(job.regions), "device_wanted": job.device}
    organ = organ_record(result.region, result.review, result.seconds)
    return audit_record(job.model, device, asked, result.seconds, {result.organ: organ})

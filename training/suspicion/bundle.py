"""Write a fitted suspicion and its figures into a bundle's manifest and card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from TwoStageSegLib.manifest import ReviewSpec
from TwoStageSegLib.model import Model

from ..export import write_manifest


def add_review(model: Model, specs: dict[str, ReviewSpec], figures: dict[str, Any]) -> Model:
    """The bundle with ``review`` in each organ that has a spec and ``evaluation.review``; re-verified."""
    organs = [replace(o, review=specs.get(o.name, o.review)) for o in model.manifest.organs]
    evaluation = {**model.manifest.evaluation, "review": figures}
    return write_manifest(model.folder, replace(model.manifest, organs=organs, evaluation=evaluation))

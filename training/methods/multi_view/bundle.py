"""``multi-view`` (papers/003) in training: what ``fit`` trains, and how it becomes a bundle. See ``methods.base``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from TwoStageSegLib.manifest import Manifest, NetworkSpec, OrganSpec
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.view_requirements import WEIGHTS
from TwoStageSegLib.systems.views import VIEWS

from ...data.prepared import Case
from ...recipes.common import CommonRecipe
from ...recipes.recipe import Target
from ...tasks.base import Task
from ..base import Parts, State
from ..organs import organ_spec
from ..weights import checkpoint
from .recipe import MultiViewRecipe


class MultiViewMethod:
    """See ``base.Method``. The bundle's roles are the names of ``fit``; ``fusion`` becomes a parameter."""

    def names(self, recipe: CommonRecipe) -> tuple[str, ...]:
        return _own(recipe).networks

    def task(self, name: str, recipe: CommonRecipe, training: list[Case], validation: list[Case], run: Path) -> Task:
        from .fine_task import FineTask
        from .fusion_task import FusionTask, split
        from .view_task import ViewTask

        r = _own(recipe)
        if name in VIEWS:
            return ViewTask(name, r, split(training, r.held_out)[0], validation)
        if name == "fusion":
            return FusionTask(r, training, validation, run)
        if name in r.fine:
            return FineTask(name, r, training, validation)
        raise SystemExit(f"The recipe {r.name} has no network {name!r}; it has: {', '.join(r.networks)}")

    def parts(self, recipe: CommonRecipe, run: Path) -> Parts:
        r = _own(recipe)
        networks = {role: _network(role, r, 2) for role in VIEWS} | {role: _network(role, r, 3) for role in r.fine}
        organs = [_organ(t, r) for name in r.organs for t in r.targets if t.organ == name]
        settings = {
            "average_mirror": r.average_mirror,
            "box_slack_mm": r.box_slack_mm,
            "recentre_mm": r.recentre_mm,
            WEIGHTS: view_weights(checkpoint(run, "fusion")),
        }
        return Parts(networks, organs, settings)

    def states(self, recipe: CommonRecipe, run: Path, weights: str) -> dict[str, State]:
        r = _own(recipe)
        return {role: checkpoint(run, role, weights) for role in (*VIEWS, *r.fine)}

    def calibrated(self, model: Model, validation: list[Case]) -> Manifest:
        from ...calibrate import calibrate

        half_voxel = max(model.manifest.networks["axial"].spacing_mm) / 2
        return replace(model.manifest, organs=calibrate(model, validation, half_voxel))

    def summary(self) -> str:
        return (
            "Two stages: three 2D SE-U-Nets, one per view, whose votes are fused with learned weights, find every "
            "organ on a coarse grid; a 3D SE-U-Net of each organ segments it in a crop."
        )


def view_weights(fusion: State) -> dict[str, list[float]]:
    """The learned weights as the manifest holds them: a row per view, a number per class, 1 in sum over the views."""
    weights = fusion["scores"].float().softmax(0).tolist()
    return {role: [round(w, 5) for w in row] for role, row in zip(VIEWS, weights, strict=True)}


def _own(recipe: CommonRecipe) -> MultiViewRecipe:
    return cast(MultiViewRecipe, recipe)


def _organ(target: Target, r: MultiViewRecipe) -> OrganSpec:
    crop_mm = [n * s for n, s in zip(target.crop_shape, r.fine_spacing, strict=True)]
    mirror = target.organ != target.channel
    return organ_spec(target.organ, 0, crop_mm, target.network, mirror, r.organs.index(target.organ))


def _network(role: str, r: MultiViewRecipe, dims: int) -> NetworkSpec:
    flat = dims == 2
    channel = next((t.channel for t in r.targets if t.network == role), "")
    outputs = list(r.outputs) if flat else [channel]
    arguments: dict[str, Any] = {
        "dims": dims,
        "inputs": 1,
        "outputs": len(outputs),
        "widths": list(r.view_widths if flat else r.fine_widths),
        "squeeze": r.squeeze,
        "norm": r.norm,
    }
    spacing = list(r.view_spacing if flat else r.fine_spacing)
    return NetworkSpec("seunet", arguments, f"{role}.safetensors", spacing, outputs)

"""A recipe's networks, organ and parameters, as the bundle's manifest names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from TwoStageSegLib.manifest import NetworkSpec, OrganSpec
from TwoStageSegLib.systems.requirements import LOCATE
from TwoStageSegLib.systems.slice_requirements import CHUNK

from ..organs import organ_spec
from .recipe import SliceCentreRecipe

SEGMENT = "segment"
COARSE = "segment-coarse"
NOMINAL_MM = 2.5
"""Slice spacing that the manifest names; this system takes the scan's own slices."""

FITS = {"fine": (LOCATE, CHUNK, SEGMENT), "coarse": (LOCATE, COARSE), "chunk": (LOCATE, CHUNK)}
"""What ``fit`` trains for each drawer; ``segment-coarse`` becomes the bundle's role ``segment``."""


def role_of(fit: str) -> str:
    """The bundle's role of what ``fit`` called so."""
    return SEGMENT if fit == COARSE else fit


def network_spec(recipe: SliceCentreRecipe, role: str) -> NetworkSpec:
    arguments: dict[str, Any]
    if role == LOCATE:
        spacing, kind = recipe.locate_spacing_mm, "centernet"
        arguments = {
            "widths": list(recipe.locate_widths),
            "up": list(recipe.locate_up),
            "hidden": recipe.locate_hidden,
        }
    elif role == CHUNK:
        spacing, kind = recipe.chunk_spacing_mm, "unet"
        arguments = {"dims": 3, "widths": list(recipe.chunk_widths), "pools": _lists(recipe.pools), "norm": "batch"}
    else:
        spacing, kind = recipe.slice_spacing_mm, "unet"
        arguments = {"dims": 2, "widths": list(recipe.slice_widths), "norm": "batch"}
    arguments = {"inputs": 1, "outputs": 1, **arguments}
    return NetworkSpec(kind, arguments, f"{role}.safetensors", [NOMINAL_MM, spacing, spacing], [recipe.organ])


def organ_of(recipe: SliceCentreRecipe, role: str = "") -> OrganSpec:
    """The organ before anything is measured; ``role``: of another network than the recipe's drawer."""
    network = role or (CHUNK if recipe.drawer == "chunk" else SEGMENT)
    return organ_spec(recipe.organ, 0, (recipe.crop_mm,) * 3, network)


def parameters_of(recipe: SliceCentreRecipe) -> dict[str, Any]:
    return {
        "field_mm": recipe.field_mm,
        "gap_mm": recipe.gap_mm,
        "reach_mm": recipe.reach_mm,
        "box_slack_mm": recipe.box_slack_mm,
        "chunk_slices": recipe.chunk_slices,
    }


def _lists(pools: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(pool) for pool in pools]

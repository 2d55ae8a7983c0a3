"""A run of ``focus`` as a bundle: its networks and organs, their weights, and what is measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from TwoStageSegLib.manifest import Manifest, NetworkSpec, OrganSpec
from TwoStageSegLib.model import Model
from TwoStageSegLib.systems.focus_requirements import SEGMENT, small_organs
from TwoStageSegLib.systems.requirements import LOCATE

from ...calibrate import calibrate
from ...data.prepared import Case
from ..base import Parts, State
from ..organs import organ_spec
from . import SHAPES, SMALL, TOGETHER
from .networks import trained
from .recipe import FocusRecipe, role

GROSS_MM = 60.0
"""Half of the largest small organ, and 25 mm: SOL-Net finds a voxel, of which the distance to the faces is measured."""


TALL_MM = 400.0


def parts(r: FocusRecipe) -> Parts:
    """Networks, organs and parameters. The autoencoder is no part of a bundle."""
    width = r.widths[0]
    networks = {
        SEGMENT: _network(
            r, "s-net", SEGMENT, {"outputs": len(r.outputs), "widths": list(r.widths), "growth": r.growth}, r.outputs
        ),
        LOCATE: _network(
            r, "sol-net", LOCATE, {"inputs": width, "outputs": len(r.small), "width": r.heat_width}, r.small
        ),
    }
    for organ in r.small:
        own = {"inputs": r.inputs, "width": r.small_width}
        networks[role(organ)] = _network(r, "sos-net", role(organ), own, (organ,))
    crop_mm = [n * s for n, s in zip(r.roi, r.spacing, strict=True)]
    organs = []
    for number, organ in enumerate(r.organs):
        if organ in r.small:
            organs.append(organ_spec(organ, 0, crop_mm, role(organ), number=number))
        else:
            organs.append(organ_spec(organ, number + 1, click_crop(r), SEGMENT, number=number))
    settings = {
        "field_mm": r.field_mm,
        "chunk_slices": r.chunk_slices,
        "chunk_stride": r.chunk_stride,
        "heat_sigma_mm": r.heat_sigma_mm,
        "box_slack_mm": r.box_slack_mm,
    }
    return Parts(networks, organs, settings)


def click_crop(r: FocusRecipe) -> list[float]:
    """The crop of a large organ around a click, mm: all that S-Net has computed anyway, up to ``TALL_MM`` along z: a
    spinal cord is as long as the scan."""
    return [TALL_MM, r.field_mm, r.field_mm]


def states(r: FocusRecipe, run: Path, weights: str) -> dict[str, State]:
    """The weights after the last phase that the run has, without the autoencoder's."""
    last = TOGETHER if (run / TOGETHER / "best.safetensors").is_file() else SMALL
    found = trained(r, run, weights, last)
    return {name: state for name, state in found.items() if name != SHAPES}


def calibrated(model: Model, validation: list[Case]) -> Manifest:
    """Margins, thresholds and scores, measured on validation cases: of the large organs, then of the small ones."""
    half_voxel = model.manifest.networks[SEGMENT].spacing_mm[0] / 2
    small = small_organs(model.manifest)
    measured: dict[str, OrganSpec] = {}
    for organs, gross_mm in (([o for o in model.manifest.organs if o not in small], None), (list(small), GROSS_MM)):
        if organs:
            part = replace(model, manifest=replace(model.manifest, organs=organs))
            measured |= {o.name: o for o in calibrate(part, validation, half_voxel, gross_mm=gross_mm)}
    return replace(model.manifest, organs=[measured[name] for name in model.manifest.organ_names])


def _network(
    r: FocusRecipe, architecture: str, name: str, arguments: Mapping[str, object], outputs: tuple[str, ...]
) -> NetworkSpec:
    return NetworkSpec(architecture, dict(arguments), f"{name}.safetensors", list(r.spacing), list(outputs))

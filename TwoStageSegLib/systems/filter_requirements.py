"""What the system ``slice-filter`` needs of a bundle, said before a network is built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import ModelRefused
from ..manifest import Manifest
from .requirements import LOCATE, MAX_CROP_VOXELS, check_numbers

DEFAULTS = {"field_mm": 512.0, "slice_threshold": 0.5, "close_gaps": 0, "reach_mm": 12.0, "box_slack_mm": 3.0}
"""``field_mm``: side of the square around the body's middle that both networks see of a slice.
``slice_threshold``: from which probability on a slice counts as positive. ``close_gaps``: how many negative slices in
a row between positive ones are drawn as well (papers/001 names it as future work and closes none).
``reach_mm``: how far beside a click the organ may be drawn."""


def check_filter(m: Manifest) -> None:
    """Refuse a manifest whose networks, organ and parameters do not fit together. Raises ModelRefused."""
    if len(m.organs) != 1:
        raise ModelRefused("This system has one classifier, so a bundle must have one organ.")
    organ = m.organs[0]
    if organ.network == LOCATE:
        raise ModelRefused(f"{organ.name}.network is the classifier; an organ needs a network that segments.")
    if organ.mirror:
        raise ModelRefused(f"{organ.name}.mirror: this system does not mirror its slices.")
    _check_parameters(m.parameters)
    for role, wanted in ((LOCATE, "slice-classifier"), (organ.network, "sanet")):
        if role not in m.networks:
            raise ModelRefused(f"The bundle lacks the network {role!r}.")
        spec = m.networks[role]
        if spec.architecture != wanted:
            raise ModelRefused(f"The network {role!r} must be a {wanted}, not {spec.architecture[:40]!r}.")
        if spec.arguments.get("inputs", 1) != 1 or spec.arguments.get("outputs", 2) != len(spec.outputs):
            raise ModelRefused(f"The network {role!r} must take one image and have the outputs that it names.")
        if m.parameters.get("field_mm", DEFAULTS["field_mm"]) ** 2 > MAX_CROP_VOXELS * math.prod(spec.spacing_mm[1:]):
            raise ModelRefused(f"The bundle's parameter 'field_mm' holds implausibly many pixels for {role!r}.")
    if len(m.networks[LOCATE].outputs) != 2 or m.networks[LOCATE].outputs[1] != organ.name:
        raise ModelRefused(f"The network 'locate' must have two outputs, the second for the organ {organ.name!r}.")
    if not 1 <= organ.output < len(m.networks[organ.network].outputs):
        raise ModelRefused(f"{organ.name}.output must be an output of its network after the first, the background.")


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    check_numbers(parameters, DEFAULTS)
    for name in ("field_mm", "reach_mm"):
        if parameters.get(name, 1) < 1:
            raise ModelRefused(f"The bundle's parameter {name!r} must be at least 1 mm.")
    if not 0 < parameters.get("slice_threshold", 0.5) < 1:
        raise ModelRefused("The bundle's parameter 'slice_threshold' must be between 0 and 1.")
    gaps = parameters.get("close_gaps", 0)
    if not isinstance(gaps, int) or gaps > 10:
        raise ModelRefused("The bundle's parameter 'close_gaps' must be a whole number from 0 to 10.")

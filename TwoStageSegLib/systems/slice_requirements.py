"""What the system ``slice-centre`` needs of a bundle, said before a network is built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import ModelRefused
from ..manifest import Manifest, OrganSpec
from .requirements import LOCATE, MAX_CROP_VOXELS, check_numbers

CHUNK = "chunk"
"""The 3D network: an organ's own one, or the one that refines the centres for its 2D network."""

DEFAULTS = {"field_mm": 186.24, "gap_mm": 6.0, "reach_mm": 12.0, "box_slack_mm": 3.0, "chunk_slices": 32}
"""``field_mm``: what the locator sees of a slice. ``gap_mm``: how far apart parts of the organ may lie along z.
``reach_mm``: how far a centre may lie from the one in the slice before, when a click is followed."""


def slice_roles(m: Manifest) -> tuple[str, ...]:
    """The networks a bundle needs: the locator, what its organs name, and the 3D network if it has one."""
    named = (organ.network for organ in m.organs)
    return tuple(dict.fromkeys((LOCATE, *named, *((CHUNK,) if CHUNK in m.networks else ()))))


def check_slices(m: Manifest) -> None:
    """Refuse a manifest whose networks, organs and parameters do not fit together. Raises ModelRefused."""
    for role in slice_roles(m):
        if role not in m.networks:
            raise ModelRefused(f"The bundle lacks the network {role!r}.")
        spec = m.networks[role]
        wanted = "centernet" if role == LOCATE else "unet"
        if spec.architecture != wanted:
            raise ModelRefused(f"The network {role!r} must be a {wanted}, not {spec.architecture[:40]!r}.")
        flat = role != CHUNK
        if wanted == "unet" and spec.arguments.get("dims", 3) != (2 if flat else 3):
            raise ModelRefused(f"The network {role!r} must take {'slices' if flat else 'chunks of slices'}.")
        if spec.arguments.get("inputs", 1) != 1 or spec.arguments.get("outputs", 1) != len(spec.outputs):
            raise ModelRefused(f"The network {role!r} must take one image and have the outputs that it names.")
    for organ in m.organs:
        _check_organ(organ, m)
    _check_parameters(m.parameters)


def _check_organ(organ: OrganSpec, m: Manifest) -> None:
    if organ.network == LOCATE:
        raise ModelRefused(f"{organ.name}.network is the locator; an organ needs a network that segments.")
    if organ.name not in m.networks[LOCATE].outputs:
        raise ModelRefused(f"The network 'locate' has no output for the organ {organ.name!r}.")
    for role in {organ.network, *((CHUNK,) if CHUNK in m.networks else ())}:
        spec = m.networks[role]
        if organ.output >= len(spec.outputs):
            raise ModelRefused(f"{organ.name}.output is {organ.output}, but the network {role!r} has fewer outputs.")
        pixels = math.prod(c / s for c, s in zip(organ.crop_mm[1:], spec.spacing_mm[1:], strict=True))
        if pixels * m.parameters.get("chunk_slices", 32) > MAX_CROP_VOXELS:
            raise ModelRefused(f"{organ.name}.crop_mm holds implausibly many pixels of {spec.spacing_mm[1:]} mm.")
    if organ.mirror:
        raise ModelRefused(f"{organ.name}.mirror: this system does not mirror its slices.")


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    check_numbers(parameters, DEFAULTS)
    if parameters.get("field_mm", 1) < 1:
        raise ModelRefused("The bundle's parameter 'field_mm' must be at least 1 mm.")
    slices = parameters.get("chunk_slices", 32)
    if not isinstance(slices, int) or not 1 <= slices <= 512:
        raise ModelRefused("The bundle's parameter 'chunk_slices' must be a whole number from 1 to 512.")

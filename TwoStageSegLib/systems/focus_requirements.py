"""What the system ``focus`` needs of a bundle, said before a network is built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import ModelRefused
from ..manifest import Manifest, NetworkSpec, OrganSpec
from .requirements import LOCATE, MAX_CROP_VOXELS, MAX_FEATURES, SLACK_MM, check_numbers

SEGMENT = "segment"
"""The role of S-Net; ``LOCATE`` is that of SOL-Net, and every small organ names the role of its own SOS-Net."""

MAX_KEPT_BYTES = 2**31
"""What a scan's features may take, in half precision; 0.3 GB for a chunk of 40 x 240 x 240 at the paper's widths."""

LONGEST_BODY_MM = 2000.0

DEFAULTS = {
    "field_mm": 240.0,
    "chunk_slices": 40,
    "chunk_stride": 20,
    "heat_sigma_mm": 5.0,
    "box_slack_mm": SLACK_MM,
    "recentre_mm": 0.0,
}
"""``field_mm``: side of the square around the body's middle that S-Net sees of a slice. ``chunk_slices``: how many it
sees at once; ``chunk_stride``: how far apart chunks begin (papers/004 prints 40, its code has 20, averaged).
``heat_sigma_mm``: of the Gaussian that SOL-Net was trained on, which stands for its heatmap where a person says where
the organ is. ``box_slack_mm``, ``recentre_mm``: see ``crop_stage``."""


def check_focus(m: Manifest) -> None:
    """Refuse a manifest whose networks, organs and parameters do not fit together. Raises ModelRefused."""
    check_numbers(m.parameters, DEFAULTS)
    snet = _network(m, SEGMENT, "s-net", 1)
    width = feature_width(m)
    _check_field({**DEFAULTS, **m.parameters}, snet, width, len(m.organs))
    if small_organs(m):
        _network(m, LOCATE, "sol-net", width)
    for organ in m.organs:
        if organ.network == LOCATE:
            raise ModelRefused(f"{organ.name}.network is the locator; an organ needs a network that segments.")
        if organ.mirror:
            raise ModelRefused(f"{organ.name}.mirror: this system does not mirror, its features know left from right.")
        if organ.network == SEGMENT:
            if organ.name not in snet.outputs[1:] or snet.outputs[organ.output : organ.output + 1] != [organ.name]:
                raise ModelRefused(f"{organ.name}.output is not the output {organ.name!r} of 'segment'.")
        else:
            _check_small(organ, m, width)


def small_organs(m: Manifest) -> tuple[OrganSpec, ...]:
    """The organs that SOL-Net locates and an SOS-Net segments; the others are S-Net's own."""
    return tuple(organ for organ in m.organs if organ.network != SEGMENT)


def feature_width(m: Manifest) -> int:
    """Channels of S-Net's decoder features, and of its first level. Raises ModelRefused if its widths are no sizes."""
    widths: Any = m.networks[SEGMENT].arguments.get("widths")
    fits = isinstance(widths, list) and len(widths) == 3
    if not fits or not all(isinstance(w, int) and not isinstance(w, bool) and 0 < w <= 2048 for w in widths):
        raise ModelRefused("The network 'segment' must name its three widths.")
    return int(widths[0])


def pooled_inputs(width: int) -> int:
    """Channels that an SOS-Net gets: decoder features, first level, the scan, the heatmap."""
    return 2 * width + 2


def _check_small(organ: OrganSpec, m: Manifest, width: int) -> None:
    if organ.name not in m.networks[LOCATE].outputs:
        raise ModelRefused(f"The network 'locate' has no output for the organ {organ.name!r}.")
    spec = _network(m, organ.network, "sos-net", pooled_inputs(width), 1)
    if organ.output != 0 or len(spec.outputs) != 1:
        raise ModelRefused(f"{organ.name}.output must be 0, the only output of the network {organ.network!r}.")
    settings = {**DEFAULTS, **m.parameters}
    depth, height, across = organ.crop_mm
    limits = (settings["chunk_slices"] * spec.spacing_mm[0], settings["field_mm"], settings["field_mm"])
    if depth > limits[0] or height > limits[1] or across > limits[2]:
        raise ModelRefused(f"{organ.name}.crop_mm is larger than what S-Net sees at once, {limits} mm.")


def _network(m: Manifest, role: str, architecture: str, *inputs: int) -> NetworkSpec:
    """The description of a network that takes one of ``inputs`` channels and works on S-Net's grid."""
    if role not in m.networks:
        raise ModelRefused(f"The bundle lacks the network {role!r}.")
    spec = m.networks[role]
    if spec.architecture != architecture:
        raise ModelRefused(f"The network {role!r} must be a {architecture}, not {spec.architecture[:40]!r}.")
    if network_inputs(spec) not in inputs:
        raise ModelRefused(f"The network {role!r} must take {' or '.join(map(str, inputs))} channels.")
    if architecture != "sos-net" and spec.arguments.get("outputs", {"s-net": 10, "sol-net": 3}[architecture]) != len(
        spec.outputs
    ):
        raise ModelRefused(f"The network {role!r} must have the outputs that it names.")
    if spec.spacing_mm != m.networks[SEGMENT].spacing_mm:
        raise ModelRefused(f"The network {role!r} must have the spacing_mm of 'segment': it works on its features.")
    return spec


def network_inputs(spec: NetworkSpec) -> Any:
    """Channels that a network of this system takes, as its arguments or its architecture's defaults say."""
    return spec.arguments.get("inputs", {"s-net": 1, "sol-net": 32, "sos-net": 66}[spec.architecture])


def _check_field(settings: Mapping[str, Any], snet: NetworkSpec, width: int, organs: int) -> None:
    chunk, stride = settings["chunk_slices"], settings["chunk_stride"]
    if not isinstance(chunk, int) or chunk < 2 or chunk % 2:
        raise ModelRefused("The bundle's parameter 'chunk_slices' must be an even number of slices.")
    if not isinstance(stride, int) or not chunk / 8 <= stride <= chunk:
        raise ModelRefused(
            f"The bundle's parameter 'chunk_stride' must be a number of slices from {chunk / 8:g} to {chunk}."
        )
    for name in ("field_mm", "heat_sigma_mm"):
        if settings[name] < 1:
            raise ModelRefused(f"The bundle's parameter {name!r} must be at least 1 mm.")
    plane = settings["field_mm"] ** 2 / math.prod(snet.spacing_mm[1:])
    voxels, channels = chunk * plane, 2 * width + len(snet.outputs)
    if voxels > MAX_CROP_VOXELS or voxels * channels > MAX_FEATURES or 4 * voxels * width > MAX_KEPT_BYTES:
        raise ModelRefused("The bundle's parameters 'field_mm' and 'chunk_slices' hold implausibly many voxels.")
    if LONGEST_BODY_MM / snet.spacing_mm[0] * plane * (organs + 1) > MAX_FEATURES:
        raise ModelRefused("The network 'segment' works on implausibly many voxels.")

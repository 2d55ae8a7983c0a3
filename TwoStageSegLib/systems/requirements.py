"""What the system ``localise-crop`` needs of a bundle beyond what holds for every one, said before a network is built.

A bundle is somebody else's data: what would break in the middle of a run is refused when the bundle is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from ..errors import ModelRefused
from ..manifest import Manifest, NetworkSpec, OrganSpec
from ..model import Model

LOCATE = "locate"
MAX_CROP_VOXELS = 2**24  # 256 voxels along each axis
MAX_FEATURES = 2**31  # voxels times channels of a network's first level: 8 GB
LARGEST_BODY_MM3 = 700.0 * 500.0 * 2000.0
MAX_TEST_VOXELS = 2**21
SLACK_MM, RECENTRE_MM = 3.0, 0.0

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def check_bundle(m: Manifest) -> None:
    """Refuse a manifest whose networks, organs and parameters do not fit together. Raises ModelRefused."""
    for role in roles(m):
        if role not in m.networks:
            raise ModelRefused(f"The bundle lacks the network {role!r}.")
        arguments, outputs = m.networks[role].arguments, m.networks[role].outputs
        if m.networks[role].architecture != "unet":
            raise ModelRefused(f"The network {role!r} must be a U-Net, not {m.networks[role].architecture[:40]!r}.")
        if (arguments.get("dims", 3), arguments.get("inputs", 1)) != (3, 1):
            raise ModelRefused(f"The network {role!r} must take one image in three dimensions.")
        if arguments.get("outputs", 1) != len(outputs):
            raise ModelRefused(f"The network {role!r} has another number of outputs than the {len(outputs)} it names.")
    body = LARGEST_BODY_MM3 / math.prod(m.networks[LOCATE].spacing_mm)
    if body * _first_width(m.networks[LOCATE]) > MAX_FEATURES:
        raise ModelRefused(f"The network {LOCATE!r} works on implausibly many voxels.")
    for organ in m.organs:
        _check_organ(organ, m)
    check_crop_parameters(m.parameters)


def roles(m: Manifest) -> tuple[str, ...]:
    """The networks a bundle needs: the locator and whatever its organs name."""
    return tuple(dict.fromkeys((LOCATE, *(organ.network for organ in m.organs))))


def _check_organ(organ: OrganSpec, m: Manifest) -> None:
    if organ.network == LOCATE:
        raise ModelRefused(f"{organ.name}.network is the locator; an organ needs a network that segments.")
    segment = m.networks[organ.network]
    if organ.name not in m.networks["locate"].outputs:
        raise ModelRefused(f"The network 'locate' has no output for the organ {organ.name!r}.")
    check_crop(organ, segment)


def check_crop(organ: OrganSpec, segment: NetworkSpec) -> None:
    """Refuse an organ whose 3D network lacks its output, or would get an implausibly large crop."""
    if organ.output >= len(segment.outputs):
        raise ModelRefused(
            f"{organ.name}.output is {organ.output}, "
            f"but the network {organ.network!r} has {len(segment.outputs)} outputs."
        )
    crop = math.prod(c / s for c, s in zip(organ.crop_mm, segment.spacing_mm, strict=True))
    if crop > MAX_CROP_VOXELS or crop * _first_width(segment) > MAX_FEATURES:
        raise ModelRefused(f"{organ.name}.crop_mm holds implausibly many voxels of {segment.spacing_mm} mm.")


def _first_width(spec: NetworkSpec) -> int:
    widths = spec.arguments.get("widths")
    return widths[0] if isinstance(widths, list) and widths and isinstance(widths[0], int) else 1


def check_crop_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that ``crop_stage`` does not know. Raises ModelRefused."""
    known = {"average_mirror", "box_slack_mm", "recentre_mm"}
    if unknown := sorted(set(parameters) - known):
        raise ModelRefused(f"The bundle's parameter {unknown[0][:40]!r} is unknown. Update TwoStageSeg.")
    said = parameters.get("average_mirror", False)
    if not isinstance(said, bool) and not (isinstance(said, list) and all(isinstance(name, str) for name in said)):
        raise ModelRefused("The bundle's parameter 'average_mirror' must be true, false or a list of organs.")
    for name in ("box_slack_mm", "recentre_mm"):
        value = parameters.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
            raise ModelRefused(f"The bundle's parameter {name!r} must be a distance from 0 to 1000 mm.")


def check_numbers(parameters: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse parameters that are not ``known``, or no numbers from 0 to 1000. Raises ModelRefused."""
    if unknown := sorted(set(parameters) - set(known)):
        raise ModelRefused(f"The bundle's parameter {unknown[0][:40]!r} is unknown. Update TwoStageSeg.")
    for name, value in parameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
            raise ModelRefused(f"The bundle's parameter {name!r} must be a number from 0 to 1000.")


def self_test_pairs(
    model: Model,
    multiples: Mapping[str, int],
    flat: Collection[str] = (),
    inputs: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Pair]:
    """Input and expected output of every role's self-test, fit to be run.

    Parameters
    ----------
    multiples : per role, what the spatial size of an input must be a multiple of.
    flat : the roles that take slices ``(n, 1, H, W)``.
    inputs : channels of the roles that take more than the image.

    Returns
    -------
    ``(n, inputs, D, H, W)`` and ``(n, outputs, D, H, W)`` float32 per role. Raises ModelRefused if a tensor is no such.
    """
    name = model.manifest.self_test.file
    try:
        tensors = load(model.read(name))
    except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ModelRefused(f"The self-test {name} cannot be read: {str(error)[:100]}") from None
    pairs = {}
    for role, multiple in multiples.items():
        given, expected = tensors.get(f"{role}.input"), tensors.get(f"{role}.expected")
        if given is None or expected is None:
            raise ModelRefused(f"The self-test {name} lacks the input or the output of the network {role!r}.")
        shape = given.shape
        fits = (
            len(shape) == (4 if role in flat else 5)
            and shape[1] == inputs.get(role, 1)
            and all(0 < n and n % multiple == 0 for n in shape[2:])
        )
        if not fits or given.size > MAX_TEST_VOXELS or not given.dtype == expected.dtype == np.float32:
            raise ModelRefused(f"The self-test of the network {role!r} is not made for it: {shape}, {given.dtype}.")
        pairs[role] = (given, expected)
    return pairs

"""What the system ``multi-view`` needs of a bundle, said before a network is built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelRefused
from ..manifest import Manifest, NetworkSpec
from .requirements import LARGEST_BODY_MM3, check_crop, check_crop_parameters
from .views import VIEWS

WEIGHTS = "view_weights"
"""The bundle's parameter: a weight per output for each view; without it every view counts a third."""

MAX_VOTES = 2**33  # voxels of the largest body times outputs: ten outputs at 1 mm, as papers/003 has them


def check_views(m: Manifest) -> None:
    """Refuse a manifest whose networks, organs and parameters do not fit together. Raises ModelRefused."""
    for role in VIEWS:
        _check_network(m, role, 2)
    axial = m.networks["axial"]
    if any((m.networks[r].outputs, m.networks[r].spacing_mm) != (axial.outputs, axial.spacing_mm) for r in VIEWS):
        raise ModelRefused("The three views' networks must have the same outputs and spacing_mm.")
    if LARGEST_BODY_MM3 / math.prod(axial.spacing_mm) * len(axial.outputs) > MAX_VOTES:
        raise ModelRefused("The three views' networks work on implausibly many voxels.")
    for organ in m.organs:
        if organ.network in VIEWS:
            raise ModelRefused(f"{organ.name}.network is one of the views; an organ needs a network that segments.")
        if organ.name not in axial.outputs[1:]:
            raise ModelRefused(
                f"The views have no output for the organ {organ.name!r} after the first, the background."
            )
        _check_network(m, organ.network, 3)
        check_crop(organ, m.networks[organ.network])
    view_weights(m)
    check_crop_parameters({name: value for name, value in m.parameters.items() if name != WEIGHTS})


def view_roles(m: Manifest) -> tuple[str, ...]:
    """The networks that segment."""
    return tuple(dict.fromkeys(organ.network for organ in m.organs))


def view_weights(m: Manifest) -> NDArray[np.float32]:
    """``(views, outputs)``, not negative, 1 in sum over the views. Raises ModelRefused if the bundle's are not so."""
    count = len(m.networks["axial"].outputs)
    given: Any = m.parameters.get(WEIGHTS)
    if given is None:
        return np.full((len(VIEWS), count), 1 / len(VIEWS), np.float32)
    fits = isinstance(given, dict) and set(given) == set(VIEWS)
    rows = [given[role] for role in VIEWS] if fits else []
    fits = fits and all(isinstance(row, list) and len(row) == count and all(map(_weight, row)) for row in rows)
    if not fits or not np.allclose(np.sum(rows, 0), 1, atol=1e-3):
        raise ModelRefused(
            f"The bundle's parameter {WEIGHTS!r} must have {count} numbers from 0 to 1 for each of {', '.join(VIEWS)}, "
            "1 in sum over the three."
        )
    return np.asarray(rows, np.float32)


def _weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _check_network(m: Manifest, role: str, dims: int) -> None:
    if role not in m.networks:
        raise ModelRefused(f"The bundle lacks the network {role!r}.")
    spec: NetworkSpec = m.networks[role]
    if spec.architecture != "seunet" or spec.arguments.get("dims", 2) != dims:
        raise ModelRefused(f"The network {role!r} must be a seunet of {dims} dimensions.")
    if spec.arguments.get("inputs", 1) != 1 or spec.arguments.get("outputs", 10) != len(spec.outputs):
        raise ModelRefused(f"The network {role!r} must take one image and have the outputs that it names.")

"""What every system does alike: the bundle's self-test, and one crop's answer on the voxels of another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelRefused
from ..model import Model
from .requirements import self_test_pairs
from .runner import Runner

Index = tuple[int, int, int]


def run_self_test(
    model: Model,
    runners: Mapping[str, Runner],
    flat: Collection[str] = (),
    inputs: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Run the bundle's tiny inputs in full precision and compare. Raises ModelRefused where a network answers
    something else than its bundle says. ``flat``: the roles that take slices; ``inputs``: channels of those that take
    more than the image."""
    pairs = self_test_pairs(model, {role: runner.network.multiple for role, runner in runners.items()}, flat, inputs)
    for role, (given, expected) in pairs.items():
        got = runners[role](given, exact=True)
        if got.shape != expected.shape or not np.allclose(got, expected, atol=model.manifest.self_test.atol):
            raise ModelRefused(f"The self-test of the network {role!r} failed: this bundle does not work here.")


def onto(values: NDArray[np.float32], start: Index, there: Index, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """``values`` (from index ``start`` of the standard array on) at the ``shape`` voxels from ``there`` on, NaN where
    they do not reach."""
    out = np.full(shape, np.nan, np.float32)
    offset = np.subtract(start, there)
    low, high = np.maximum(offset, 0), np.minimum(offset + values.shape, shape)
    if (high > low).all():
        part = tuple(slice(a - o, b - o) for a, b, o in zip(low, high, offset, strict=True))
        out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = values[part]
    return out

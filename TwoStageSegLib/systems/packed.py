"""Weights in a quarter of the room: each channel's in whole steps of -127..127 of its own size.

A bundle may hold a weight ``w`` as ``w.steps`` (int8) and ``w.size`` (one number per first index), ``steps * size``.
What is computed with are the unpacked weights, so this costs the rounding (half a step, 1/254 of a channel's largest
weight) and no time. A bundle's margins, thresholds and figures are measured with the weights as they are stored.
"""

from __future__ import annotations

import torch
from torch import Tensor

STEPS, SIZE = ".steps", ".size"
MOST = 127


def packed(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(int8 steps, float32 size per first index) of a weight with two axes or more."""
    flat = weight.float().flatten(1)
    size = (flat.abs().amax(1) / MOST).clamp(min=torch.finfo(torch.float32).tiny)
    steps = (flat / size[:, None]).round().clamp(-MOST, MOST).to(torch.int8)
    return steps.reshape(weight.shape), size


def unpacked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """All weights of a file by their own names; those that were not packed as they are.

    Raises
    ------
    RuntimeError : a packed weight whose other half is missing, of another type or shape, as torch says what does not
        fit.
    """
    out = {}
    for name, tensor in tensors.items():
        if name.endswith(STEPS):
            own = name.removesuffix(STEPS)
            size = tensors.get(own + SIZE)
            fits = tensor.dtype == torch.int8 and size is not None and size.dtype == torch.float32
            if not fits or size is None or tensor.ndim < 2 or size.shape != tensor.shape[:1] or own in tensors:
                raise RuntimeError(f"\nthe packed weight {own[:80]!r} is not whole")
            out[own] = tensor.float() * size.reshape(-1, *(1,) * (tensor.ndim - 1))
        elif not (name.endswith(SIZE) and name.removesuffix(SIZE) + STEPS in tensors):
            out[name] = tensor
    return out

"""The checkpoints of a run, as ``export --weights`` names them."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.systems.packed import SIZE, STEPS, packed


def checkpoint(run: Path, name: str, weights: str = "best") -> dict[str, Tensor]:
    """The weights of what ``fit`` called ``name``.

    Parameters
    ----------
    weights : the checkpoint for every name (``best``, ``final``, ``at_020min``), or each one's own as in
        ``locate=best,segment=at_025min``; a name that is not there has its best.

    Raises
    ------
    UsageError : E_RUN if there is no such file.
    """
    chosen = weights
    if "=" in weights:
        chosen = dict(part.split("=", 1) for part in weights.split(",")).get(name, "best")
    path = run / name / f"{chosen}.safetensors"
    if not path.is_file():
        raise UsageError("E_RUN", f"The run has no {name}/{path.name}. Train it first: python -m training fit {name}.")
    return load_file(path)


def save_packed(tensors: dict[str, Tensor], target: Path) -> None:
    """Write weights in a quarter of the room (``systems.packed``); norms and biases in half precision."""
    small: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.ndim > 1:
            small[name + STEPS], small[name + SIZE] = packed(tensor)
        else:
            small[name] = _halved(tensor)
    save_file(small, target)


def save_half(tensors: dict[str, Tensor], target: Path) -> None:
    """Write weights in half precision: half the size, and the rounding is below that of bf16 inference.

    Counts stay counts, and running statistics too large for half precision (above 65504) stay as they are.
    """
    save_file({k: _halved(v) for k, v in tensors.items()}, target)


def _halved(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.contiguous()
    half = tensor.half()
    return (half if bool(half.isfinite().all()) else tensor).contiguous()

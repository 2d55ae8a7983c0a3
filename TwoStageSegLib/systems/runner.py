"""Runs one network of a bundle: weights checked on the way in, numpy in, numpy out, and a way down when memory ends."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load

from ..device import Device, is_gpu_failure
from ..errors import ModelRefused
from ..manifest import NetworkSpec
from ..model import Model
from ..networks.blocks import Network
from ..networks.catalogue import ARCHITECTURES
from .direct import direct_copy
from .half import bf16_copy
from .packed import unpacked

MAX_PARAMETERS = 500_000_000
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}  # by the rank of a network's kernels


def build(spec: NetworkSpec) -> Network:
    """An untrained network from its description. Raises ModelRefused if the description makes no sense."""
    kind = ARCHITECTURES.get(spec.architecture)
    if kind is None:
        raise ModelRefused(f"The network architecture {spec.architecture[:40]!r} is unknown.")
    allowed = set(inspect.signature(kind).parameters)
    arguments = {name: _frozen(value) for name, value in spec.arguments.items()}
    widths = arguments.get("widths", ())
    sizes = all(isinstance(value, bool | str) or _share(value) or _sizes(value) for value in arguments.values())
    missing = "widths" in allowed and not (isinstance(widths, tuple) and 2 <= len(widths) <= 7)
    if set(arguments) - allowed or not sizes or missing:
        raise ModelRefused("The arguments of a network are not understood.")
    try:
        with torch.device("meta"):
            if sum(p.numel() for p in kind(**arguments).parameters()) > MAX_PARAMETERS:
                raise ModelRefused("A network of the bundle is implausibly large.")
        return kind(**arguments)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise ModelRefused(f"A network of the bundle cannot be built: {str(error)[:150]}") from None


def _frozen(value: Any) -> Any:
    """JSON's lists as tuples."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _sizes(value: Any) -> bool:
    """True for a size, or (nested) tuples of sizes."""
    if isinstance(value, tuple):
        return all(_sizes(v) for v in value)
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 2048


def _share(value: Any) -> bool:
    """True for what is not given, for none (0) and for a rate of dropout."""
    return value is None or (isinstance(value, int | float) and 0 <= value < 1)


class Runner:
    """One network with its weights on the current device.

    ``device`` is shared by all runners of a system and may step down (half precision, CPU) when memory runs out, or
    leave the GPU when that stops working. Nothing can be fetched from it then, so the weights are kept here as well.
    """

    def __init__(self, model: Model, role: str, device: Device):
        if role not in model.manifest.networks:
            raise ModelRefused(f"The bundle lacks the network {role!r}.")
        self.spec = model.manifest.networks[role]
        self.device = device
        network = build(self.spec)
        try:
            weights = unpacked(load(model.read(self.spec.file)))
            network.load_state_dict(weights, strict=True)
        except (SafetensorError, RuntimeError) as error:
            reason = (str(error).splitlines()[1:] or [str(error)])[0].strip()[:200]  # torch's first line says nothing
            raise ModelRefused(f"The weights {self.spec.file} do not fit their network: {reason}") from None
        if not all(bool(torch.isfinite(w).all()) for w in network.state_dict().values()):
            raise ModelRefused(f"The weights {self.spec.file} hold values that are not numbers.")
        self.layout = LAYOUTS[next(w.ndim for w in network.parameters() if w.ndim > 3)]
        self.network = network.eval().to(memory_format=self.layout)  # type: ignore[call-overload]
        self._weights = weights if device.kind == "cuda" else None
        self._copies: dict[bool, Network] = {}

    def __call__(self, batch: NDArray[np.float32], exact: bool = False) -> NDArray[np.float32]:
        """Logits of a batch: ``(n, inputs, [D,] H, W)`` -> ``(n, outputs, ...)`` float32. ``exact``: full precision.

        Of a network with several answers: all of them, as ``joined`` does.
        """
        while True:
            try:
                return self._forward(batch, exact)
            except torch.cuda.OutOfMemoryError:
                if self.device.kind != "cuda":
                    raise
            except RuntimeError as error:
                if "can't allocate memory" in str(error):  # how torch says it on the CPU
                    raise MemoryError("Not enough memory; close other programs.") from None
                if self._weights is None or not is_gpu_failure(error):
                    raise
                self._leave_gpu(self._weights)
                continue
            # not inside the except clause: there the exception still holds the memory that it is about
            torch.cuda.empty_cache()
            if len(batch) > 1:
                self.device.notice("The GPU ran out of memory; continued with smaller batches.")
                return np.concatenate([self(one[None], exact) for one in batch])
            self.device.step_down()

    def _leave_gpu(self, weights: dict[str, torch.Tensor]) -> None:
        """Go on with a fresh network on the CPU."""
        self.device.gpu_failed()
        network = build(self.spec)
        network.load_state_dict(weights, strict=True)
        self.network = network.eval().to(memory_format=self.layout)  # type: ignore[call-overload]
        self._weights = None

    @torch.inference_mode()
    def _forward(self, batch: NDArray[np.float32], exact: bool) -> NDArray[np.float32]:
        if next(self.network.parameters()).device.type != self.device.kind:  # asking every weight takes a millisecond
            self.network.to(self.device.kind)
        x = torch.from_numpy(batch).to(self.device.kind).to(memory_format=self.layout)
        half = self.device.half and not exact
        with torch.autocast(self.device.kind, torch.bfloat16, enabled=half), _full_precision(exact):
            y = joined(self.as_run(half)(x))
        return y.float().cpu().numpy()

    @property
    def in_use(self) -> Network:
        """The network as it runs on the current device."""
        return self.as_run(self.device.half)

    def as_run(self, half: bool) -> Network:
        """On a CPU a copy for the precision, made once."""
        if self.device.kind != "cpu":
            return self.network
        if half not in self._copies:
            self._copies[half] = (bf16_copy if half else direct_copy)(self.network)
        return self._copies[half]


def joined(answer: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """A network's answer as one tensor; several maps of one size (S-Net's) one after the other along the channels."""
    return torch.cat(answer, 1) if isinstance(answer, tuple) else answer


@contextlib.contextmanager
def _full_precision(wanted: bool) -> Iterator[None]:
    """Convolutions on a GPU in real float32: by default cuDNN rounds their inputs to ten bits (TF32)."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = before and not wanted
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The outputs' (axis 1) shares of 1: ``(n, outputs, ...)`` -> the same."""
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    return weights


def share(logits: NDArray[np.float32], output: int) -> NDArray[np.float32]:
    """Softmax over the outputs (axis 1), of which one is returned: ``(n, outputs, ...)`` -> ``(n, ...)``."""
    return softmax(logits)[:, output]


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sigmoid without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))

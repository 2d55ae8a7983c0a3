"""Runs one network of a bundle: weights checked on the way in, numpy in, numpy out, and a way down when memory ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..device import Device
from ..errors import ModelRefused
from ..manifest import NetworkSpec
from ..model import Model
from ..networks.unet import UNet

MAX_PARAMETERS = 500_000_000


def build(spec: NetworkSpec) -> UNet:
    """An untrained network from its description. Raises ModelRefused if the description makes no sense."""
    if spec.architecture != "unet":
        raise ModelRefused(f"The network architecture {spec.architecture[:40]!r} is unknown.")
    arguments = dict(spec.arguments)
    allowed = {"dims", "inputs", "outputs", "widths", "groups", "skips", "norm_last"}
    widths = arguments.get("widths", [])
    whole = isinstance(widths, list) and all(isinstance(w, int) and 0 < w <= 2048 for w in widths)
    if set(arguments) - allowed or not whole or not 2 <= len(widths) <= 7:
        raise ModelRefused("The arguments of a network are not understood.")
    arguments["widths"] = tuple(widths)
    try:
        with torch.device("meta"):
            if sum(p.numel() for p in UNet(**arguments).parameters()) > MAX_PARAMETERS:
                raise ModelRefused("A network of the bundle is implausibly large.")
        return UNet(**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelRefused(f"A network of the bundle cannot be built: {error}") from None


class Runner:
    """One network with its weights on the current device.

    ``device`` is shared by all runners of a system and may step down (half precision, CPU) when memory runs out.
    """

    def __init__(self, model: Model, role: str, device: Device):
        if role not in model.manifest.networks:
            raise ModelRefused(f"The bundle lacks the network {role!r}.")
        self.spec = model.manifest.networks[role]
        self.device = device
        network = build(self.spec)
        try:
            weights = load_file(model.file(self.spec.file))
            network.load_state_dict(weights, strict=True)
        except (SafetensorError, RuntimeError) as error:
            reason = (str(error).splitlines()[1:] or [str(error)])[0].strip()[:200]  # torch's first line says nothing
            raise ModelRefused(f"The weights {self.spec.file} do not fit their network: {reason}") from None
        if not all(bool(torch.isfinite(w).all()) for w in network.parameters()):
            raise ModelRefused(f"The weights {self.spec.file} hold values that are not numbers.")
        self.network = network.eval().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def __call__(self, batch: NDArray[np.float32], exact: bool = False) -> NDArray[np.float32]:
        """Logits of a batch: ``(n, 1, D, H, W)`` -> ``(n, outputs, D, H, W)`` float32. ``exact``: full precision."""
        while True:
            try:
                return self._forward(batch, exact)
            except torch.cuda.OutOfMemoryError:
                if self.device.kind != "cuda":
                    raise
            except RuntimeError as error:
                if "can't allocate memory" in str(error):  # how torch says it on the CPU
                    raise MemoryError("Not enough memory; close other programs.") from None
                raise
            # not inside the except clause: there the exception still holds the memory that it is about
            torch.cuda.empty_cache()
            if len(batch) > 1:
                self.device.notice("The GPU ran out of memory; continued with smaller batches.")
                return np.concatenate([self(one[None], exact) for one in batch])
            self.device.step_down()

    @torch.inference_mode()
    def _forward(self, batch: NDArray[np.float32], exact: bool) -> NDArray[np.float32]:
        self.network.to(self.device.kind)
        x = torch.from_numpy(batch).to(self.device.kind).to(memory_format=torch.channels_last_3d)
        half = torch.autocast(self.device.kind, torch.bfloat16, enabled=self.device.half and not exact)
        with half, _full_precision(exact):
            y = self.network(x)
        return y.float().cpu().numpy()


@contextlib.contextmanager
def _full_precision(wanted: bool) -> Iterator[None]:
    """Convolutions on a GPU in real float32: by default cuDNN rounds their inputs to ten bits (TF32)."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = before and not wanted
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sigmoid without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))

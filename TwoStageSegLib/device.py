"""Where the networks run: GPU, or CPU in the precision it is fast in; and what to do when memory runs out."""

from __future__ import annotations

import functools
import os
import platform
import time
from dataclasses import dataclass, field

from .errors import UsageError

FULL = "out of memory"
BF16_TURNS = 3


@dataclass
class Device:
    """A place to compute: torch device ``kind`` ("cuda" or "cpu") and ``half`` (autocast to bf16/fp16).

    ``notices`` collects what had to be given up on the way (for example a GPU that ran out of memory).
    """

    kind: str
    name: str
    half: bool
    notices: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What the user reads: ``GPU: RTX 4080, 16 GB`` or ``CPU``."""
        return self.name

    def notice(self, text: str) -> None:
        """Add to what the user should know, once."""
        if text not in self.notices:
            self.notices.append(text)

    def step_down(self) -> bool:
        """After out-of-memory on the GPU: half precision first, then the CPU. False if nothing is left to try."""
        if self.kind != "cuda":
            return False
        if not self.half:
            self.half = True
            self.notice("The GPU ran out of memory; continued in half precision.")
            return True
        self.kind, self.half = "cpu", cpu_has_bf16()
        self.name = cpu_name()
        self.notice("The GPU ran out of memory; continued on the CPU, which is slower.")
        return True

    def gpu_failed(self) -> None:
        """The GPU does not answer any more (driver reset, card gone, an earlier error): the CPU for good."""
        if self.kind == "cuda":
            self.kind, self.half = "cpu", cpu_has_bf16()
            self.name = cpu_name()
            self.notice("The GPU stopped working; continued on the CPU, which is slower.")


def is_gpu_failure(error: RuntimeError) -> bool:
    """True if torch says that the GPU itself failed, not what was asked of it."""
    return any(
        word in str(error) for word in ("CUDA error", "CUDA driver", "cuDNN error", "CUDNN_STATUS", "CUBLAS_STATUS")
    )


def choose_device(wanted: str = "auto") -> Device:
    """``auto`` takes a working GPU, otherwise the CPU. ``cuda`` without one is refused with the reason."""
    if wanted not in ("auto", "cuda", "cpu"):
        raise UsageError("E_DEVICE", f"Device {wanted!r} is unknown; choose auto, cuda or cpu.")
    import torch

    if wanted != "cpu" and torch.cuda.is_available():
        card, memory = "GPU", 0
        reason = why_gpu_fails()
        try:
            properties = torch.cuda.get_device_properties(0)
            card, memory = properties.name, properties.total_memory
        except RuntimeError as error:  # a card that is gone has no properties
            reason = reason or _first_line(error)
        if not reason:
            # full precision first: crops are small, and half precision is the first to give when memory runs out
            return Device("cuda", f"GPU: {card}, {memory / 2**30:.0f} GB", half=False)
        text = f"The installed torch cannot use the {card} ({reason})"
        way_out = "install a torch build for this card and its driver"
        if reason == FULL:
            text = f"The memory of the {card} is full"
            way_out = "close other programs that use the card"
        if wanted == "cuda":
            raise UsageError("E_DEVICE", f"{text}. Choose the CPU, or {way_out}.")
        return Device("cpu", cpu_name(), cpu_has_bf16(), [f"{text}; continued on the CPU."])
    if wanted == "cuda":
        raise UsageError(
            "E_DEVICE", "No usable CUDA GPU was found. Use --device cpu, or check the driver and the torch build."
        )
    return Device("cpu", cpu_name(), cpu_has_bf16())


def why_gpu_fails() -> str:
    """ "" if the GPU really computes; a card too new or too old for this torch build only says so when asked to."""
    import torch

    try:
        ones = torch.ones(8, device="cuda")
        return "" if float((ones + ones).sum()) == 16.0 else "wrong results"
    except torch.cuda.OutOfMemoryError:
        return FULL
    except RuntimeError as error:
        return _first_line(error)


def _first_line(error: RuntimeError) -> str:
    return (str(error).splitlines() or ["unknown reason"])[0][:100]


def cpu_name() -> str:
    return f"CPU: {os.cpu_count()} threads, {platform.machine()}"


def cpu_has_bf16() -> bool:
    """True if the processor multiplies bf16 natively, and a convolution shows that it is used: without it (or with a
    torch that was told to do without) bf16 is 2 to 5 times slower than fp32."""
    import torch

    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check()) and bf16_gain() > 1 if check is not None else False


@functools.cache
def bf16_gain() -> float:
    """How many times faster a 3D convolution is in bf16 than in fp32: 2 to 8 with hardware, 0.2 to 0.5 without.

    Measured once per process, 50 ms; the best of turns, so that a busy machine does not decide.
    """
    import torch

    image, kernel = torch.ones(1, 32, 24, 40, 40), torch.ones(32, 32, 3, 3, 3)  # torch takes other ways for less
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with torch.inference_mode():
        for _ in range(BF16_TURNS):
            for kind in best:
                x, w = (t.to(kind).to(memory_format=torch.channels_last_3d) for t in (image, kernel))
                started = time.perf_counter()
                torch.nn.functional.conv3d(x, w, padding=1)
                best[kind] = min(best[kind], time.perf_counter() - started)
    return best[torch.float32] / best[torch.bfloat16]

"""A GPU that stops working in the middle of a run: the CPU goes on, says so, and gives what it always gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from TwoStageSegLib import device as device_module
from TwoStageSegLib import pipeline as pipeline_module
from TwoStageSegLib.device import Device, choose_device, is_gpu_failure
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Result
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems.runner import Runner
from TwoStageSegLib.volume import Volume

from .test_real_networks import GRID, body

ROOT = Path(__file__).resolve().parents[2]
WORDS = [
    "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported",
    "CUDA error: device-side assert triggered",
    "CUDA error: the launch timed out and was terminated",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    "CUDA driver error: device not ready",
]
LOST = "The GPU stopped working; continued on the CPU, which is slower."


class FailingGPU:
    """Every runner's network is "on the GPU", which computes as the CPU does until call ``last``; then nothing that
    was on it answers any more, whatever is asked of it."""

    def __init__(self, last: int, words: str):
        self.calls, self.last, self.words = 0, last, words
        self.real = Runner._forward

    def __call__(self, runner: Runner, batch, exact):
        if runner._weights is None:  # on the CPU
            return self.real(runner, batch, exact)
        self.calls += 1
        if self.calls > self.last:
            raise RuntimeError(self.words)
        kind, runner.device.kind = runner.device.kind, "cpu"
        try:
            return self.real(runner, batch, exact)
        finally:
            runner.device.kind = kind


@pytest.fixture
def run(stand_in, monkeypatch):
    """``run(last, words)``: a whole run on a GPU that fails after ``last`` calls; None for the CPU."""
    monkeypatch.setattr(device_module, "cpu_has_bf16", lambda: False)
    model = load_model(stand_in)
    regions = {"Larynx": Region.click("Larynx", GRID.index_to_lps((12, 12, 14)))}

    def go(last: int | None, words: str = WORDS[0]) -> tuple[Result, Pipeline]:
        kind = "cpu" if last is None else "cuda"
        monkeypatch.setattr(pipeline_module, "choose_device", lambda wanted: Device(kind, f"{kind}: test", False))
        if last is not None:
            gpu = FailingGPU(last, words)
            monkeypatch.setattr(Runner, "_forward", lambda self, batch, exact: gpu(self, batch, exact))
        pipeline = Pipeline(model)
        return pipeline.run(Volume(body(), GRID, "CT"), None, regions), pipeline

    return go


@pytest.mark.parametrize("last", [0, 1, 2, 3])
def test_a_lost_gpu_gives_what_the_cpu_gives(run, last):
    expected, _ = run(None)
    found, pipeline = run(last)
    assert [n for n in found.notices if "GPU" in n] == [LOST]
    assert found.device.startswith("CPU") and pipeline.device.kind == "cpu"
    for ours, theirs in zip(found.organs, expected.organs, strict=True):
        assert ours.region == theirs.region and (ours.mask is None) == (theirs.mask is None)
        assert ours.mask is None or np.array_equal(ours.mask.full(), theirs.mask.full())
    again = pipeline.run(Volume(body(), GRID, "CT"))  # and it stays there
    assert again.device.startswith("CPU") and [n for n in again.notices if "GPU" in n] == [LOST]


@pytest.mark.parametrize("words", WORDS)
def test_it_is_known_by_its_words(run, words):
    assert is_gpu_failure(RuntimeError(words))
    assert LOST in run(0, words)[0].notices


def test_a_gpu_that_does_not_fail_is_not_left(run):
    found, pipeline = run(10_000)
    assert pipeline.device.kind == "cuda" and not [n for n in found.notices if "GPU" in n]


def test_another_error_is_not_blamed_on_the_gpu(run):
    with pytest.raises(RuntimeError, match="size of tensor a"):
        run(0, "The size of tensor a (3) must match the size of tensor b (4)")


def test_a_card_that_is_gone_when_the_worker_starts(monkeypatch):
    def gone(*arguments, **named):
        raise RuntimeError("CUDA error: no CUDA-capable device is detected")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", gone)
    monkeypatch.setattr(torch, "ones", gone)
    chosen = choose_device("auto")
    assert chosen.kind == "cpu" and "no CUDA-capable device" in chosen.notices[0]


BROKEN = """
import sys, numpy as np, torch
from Testing.hardening.test_real_networks import GRID, body
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.volume import Volume
model, volume = load_model(sys.argv[1]), Volume(body(), GRID, "CT")
pipeline = Pipeline(model, "cuda")
before = pipeline.run(volume)
assert before.device.startswith("GPU"), before.device
try:  # every later call of this process fails: what a reset driver or a kernel's assertion does
    torch.zeros(4, device="cuda")[torch.tensor([9], device="cuda")].cpu()
except RuntimeError:
    pass
other = Volume(body(), GRID, "CT")
after = pipeline.run(other)
assert after.device.startswith("CPU") and any("stopped working" in n for n in after.notices), after
cpu = Pipeline(model, "cpu").run(other)
for a, b in zip(after.organs, cpu.organs, strict=True):
    assert (a.mask is None) == (b.mask is None)
    assert a.mask is None or np.array_equal(a.mask.full(), b.mask.full())
assert Pipeline(model, "auto").device.kind == "cpu"
print("went on")
"""


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU to break")
def test_a_real_gpu_whose_context_is_broken(stand_in):
    done = subprocess.run([sys.executable, "-c", BROKEN, str(stand_in)], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.endswith("went on\n"), done.stderr[-2000:]

"""Choosing a device: a GPU counts only if it computes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from TwoStageSegLib import device
from TwoStageSegLib.errors import UsageError


@pytest.fixture
def card(monkeypatch):
    """A card that torch sees."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    properties = SimpleNamespace(name="RTX 4080", total_memory=16 * 2**30)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda index: properties)


def test_a_working_gpu_is_taken_and_named(card, monkeypatch):
    monkeypatch.setattr(device, "why_gpu_fails", lambda: "")
    chosen = device.choose_device("auto")
    assert (chosen.kind, chosen.text) == ("cuda", "GPU: RTX 4080, 16 GB")
    assert device.choose_device("cpu").kind == "cpu"


def test_a_gpu_that_torch_cannot_use_is_named_and_the_cpu_goes_on(card, monkeypatch):
    monkeypatch.setattr(device, "why_gpu_fails", lambda: "no kernel image")
    chosen = device.choose_device("auto")
    assert chosen.kind == "cpu"
    assert chosen.notices == ["The installed torch cannot use the RTX 4080 (no kernel image); continued on the CPU."]
    with pytest.raises(UsageError, match=r"RTX 4080.*Choose the CPU"):
        device.choose_device("cuda")


def test_the_reason_is_what_torch_said(monkeypatch):
    def broken(*arguments, **named):
        raise RuntimeError("CUDA error: no kernel image is available\nmore")

    monkeypatch.setattr("torch.ones", broken)
    assert device.why_gpu_fails() == "CUDA error: no kernel image is available"


def test_a_gpu_whose_memory_is_full_is_not_blamed_on_torch(card, monkeypatch):
    """Other programs hold all of it: the first eight numbers do not fit any more."""

    def full(*arguments, **named):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")

    monkeypatch.setattr("torch.ones", full)
    chosen = device.choose_device("auto")
    assert (chosen.kind, chosen.notices) == ("cpu", ["The memory of the RTX 4080 is full; continued on the CPU."])
    with pytest.raises(UsageError, match=r"RTX 4080 is full\. Choose the CPU, or close other programs"):
        device.choose_device("cuda")

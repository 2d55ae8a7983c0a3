"""Where networks run: the choice, its refusals, and the way down when memory ends."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from TwoStageSegLib import device as module
from TwoStageSegLib.device import Device, choose_device, cpu_has_bf16
from TwoStageSegLib.errors import UsageError


@pytest.fixture
def gpu(monkeypatch):
    """A machine with a GPU of 16 GB."""
    properties = SimpleNamespace(name="RTX 4080", total_memory=16 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(module, "why_gpu_fails", lambda: "")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_gpu_is_taken_in_full_precision_and_named(gpu, wanted):
    chosen = choose_device(wanted)
    assert (chosen.kind, chosen.half, chosen.text) == ("cuda", False, "GPU: RTX 4080, 16 GB")


def test_cpu_is_cpu_even_beside_a_gpu(gpu):
    assert choose_device("cpu").kind == "cpu"


def test_auto_without_a_gpu_is_the_cpu_in_the_precision_it_is_fast_in(no_gpu, monkeypatch):
    for fast in (True, False):
        monkeypatch.setattr(module, "cpu_has_bf16", lambda fast=fast: fast)
        chosen = choose_device()
        assert (chosen.kind, chosen.half, chosen.notices) == ("cpu", fast, [])
        assert chosen.text.startswith("CPU: ")


def test_cuda_without_a_gpu_is_refused_with_a_way_out(no_gpu):
    with pytest.raises(UsageError, match="--device cpu") as info:
        choose_device("cuda")
    assert (info.value.code, info.value.exit_code) == ("E_DEVICE", 2)


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError, match="'tpu' is unknown; choose auto, cuda or cpu"):
        choose_device("tpu")


def test_a_gpu_steps_down_to_half_precision_then_to_the_cpu_then_no_further(monkeypatch):
    monkeypatch.setattr(module, "cpu_has_bf16", lambda: False)
    device = Device("cuda", "GPU: test, 1 GB", half=False)
    assert device.step_down() and (device.kind, device.half) == ("cuda", True)
    assert device.step_down() and (device.kind, device.half) == ("cpu", False)
    assert device.text.startswith("CPU: ")
    assert not device.step_down() and device.kind == "cpu"
    assert [n.split(";")[1] for n in device.notices] == [
        " continued in half precision.",
        " continued on the CPU, which is slower.",
    ]


def test_a_notice_is_given_once():
    device = Device("cpu", "CPU", half=False)
    for text in ("a", "b", "a"):
        device.notice(text)
    assert device.notices == ["a", "b"]


def test_a_torch_that_cannot_tell_counts_as_without_bf16(monkeypatch):
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert cpu_has_bf16() is False


def test_bf16_that_turns_out_slower_is_not_used_whatever_the_processor_says(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    for gain, used in ((0.3, False), (3.0, True)):
        monkeypatch.setattr(module, "bf16_gain", lambda gain=gain: gain)
        assert cpu_has_bf16() is used


def test_the_gain_of_bf16_is_measured_once_and_only_where_the_processor_claims_to_have_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(module, "bf16_gain", lambda: pytest.fail("measured for nothing"))
    assert cpu_has_bf16() is False
    monkeypatch.undo()
    assert module.bf16_gain() == module.bf16_gain() > 0

"""One network of a bundle: what is refused on the way in, and the way down when a GPU's memory ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from Testing.harness.bundles import write_manifest
from Testing.harness.untrained import ARGUMENTS, untrained_values, write_stand_in
from TwoStageSegLib import device as device_module
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.manifest import NetworkSpec
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems.packed import packed
from TwoStageSegLib.systems.runner import Runner, build, probability


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_stand_in(tmp_path / "bundle")


def runner(bundle: Path, device: Device | None = None) -> Runner:
    return Runner(load_model(bundle), "segment", device or Device("cpu", "CPU", half=False))


def change_weights(bundle: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    """Alter the segmenter's weights and sign the manifest anew: a bundle that is wrong, not damaged."""
    weights = load_file(bundle / "segment.safetensors")
    change(weights)
    save_file(weights, bundle / "segment.safetensors")
    values = json.loads((bundle / "manifest.json").read_text())
    write_manifest(bundle, {**values, "files": untrained_values(bundle)["files"]})


def spec(architecture: str = "unet", **arguments) -> NetworkSpec:
    return NetworkSpec(architecture, {**ARGUMENTS, **arguments}, "f", [1.0, 1.0, 1.0], ["a", "b", "c"])


def test_builds_what_is_described():
    network = build(spec(widths=[4, 8, 16], skips=False))
    assert network.multiple == 4 and not network.skips


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"architecture": "transformer"}, "architecture 'transformer' is unknown"),
        ({"architecture": "unet" * 50}, "is unknown"),
        ({"dropout": 0.5}, "not understood"),
        ({"widths": [8]}, "not understood"),
        ({"widths": [8, 16.0]}, "not understood"),
        ({"widths": [8, 0]}, "not understood"),
        ({"widths": [8, 4096]}, "not understood"),
        ({"widths": "8, 16"}, "not understood"),
        ({"widths": [9, 16], "groups": 8}, "cannot be built"),
        ({"groups": "8"}, "cannot be built"),
        ({"outputs": -1}, "not understood"),
        ({"groups": 10**30}, "not understood"),
        ({"groups": 0}, "cannot be built"),
        ({"widths": [2048] * 7}, "implausibly large"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(changed, message):
    with pytest.raises(ModelRefused, match=message):
        build(spec(**changed))


def test_a_role_that_the_bundle_lacks_is_refused(bundle):
    with pytest.raises(ModelRefused, match="lacks the network 'refine'"):
        Runner(load_model(bundle), "refine", Device("cpu", "CPU", half=False))


def test_weights_of_another_shape_are_refused_with_the_place(bundle):
    def wider(weights):
        weights["head.weight"] = torch.zeros(3, 5, 1, 1, 1)

    change_weights(bundle, wider)
    with pytest.raises(ModelRefused, match=r"segment\.safetensors do not fit their network: size mismatch for head"):
        runner(bundle)


def test_a_missing_tensor_is_refused_with_its_name(bundle):
    change_weights(bundle, lambda weights: weights.pop("head.bias"))
    with pytest.raises(ModelRefused, match=r"Missing key.*head\.bias"):
        runner(bundle)


def test_a_tensor_too_many_is_refused_with_its_name(bundle):
    change_weights(bundle, lambda weights: weights.update(backdoor=torch.zeros(1)))
    with pytest.raises(ModelRefused, match=r"Unexpected key.*backdoor"):
        runner(bundle)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(bundle, bad):
    change_weights(bundle, lambda weights: weights["head.bias"].fill_(bad))
    with pytest.raises(ModelRefused, match="not numbers"):
        runner(bundle)


def test_a_file_that_is_no_safetensors_is_refused(bundle):
    (bundle / "segment.safetensors").write_bytes(b"\x80\x04pickle")
    values = json.loads((bundle / "manifest.json").read_text())
    write_manifest(bundle, {**values, "files": untrained_values(bundle)["files"]})
    with pytest.raises(ModelRefused, match="do not fit their network"):
        runner(bundle)


def test_weights_in_half_precision_are_taken(bundle):
    image = np.random.default_rng(0).normal(size=(1, 1, 8, 8, 8)).astype(np.float32)
    full = runner(bundle)(image)
    change_weights(bundle, lambda weights: weights.update({k: w.half() for k, w in weights.items()}))
    assert np.allclose(runner(bundle)(image), full, atol=0.02)


def pack(weights):
    for name in [n for n, w in weights.items() if w.ndim > 1]:
        weights[f"{name}.steps"], weights[f"{name}.size"] = packed(weights.pop(name))


def test_packed_weights_are_taken(bundle):
    image = np.random.default_rng(0).normal(size=(1, 1, 8, 8, 8)).astype(np.float32)
    full = runner(bundle)(image)
    change_weights(bundle, pack)
    got = runner(bundle)(image)
    assert np.allclose(got, full, atol=0.05 * np.abs(full).max()) and not np.array_equal(got, full)


def test_packed_weights_that_are_no_numbers_or_not_whole_are_refused(bundle):
    change_weights(bundle, pack)
    change_weights(bundle, lambda weights: weights["head.weight.size"].fill_(float("nan")))
    with pytest.raises(ModelRefused, match="not numbers"):
        runner(bundle)
    change_weights(bundle, lambda weights: weights.pop("head.weight.size"))
    with pytest.raises(ModelRefused, match=r"the packed weight 'head\.weight' is not whole"):
        runner(bundle)


def test_exact_is_full_precision_also_on_a_device_that_computes_in_half(bundle):
    image = np.random.default_rng(0).normal(size=(1, 1, 8, 8, 8)).astype(np.float32)
    full, half = runner(bundle), runner(bundle, Device("cpu", "CPU", half=True))
    assert np.array_equal(full(image), half(image, exact=True))
    assert full(image).dtype == half(image).dtype == np.float32
    assert 0 < np.abs(full(image) - half(image)).max() < 0.2


def test_probability_is_a_sigmoid_without_overflow():
    found = probability(np.array([0.0, np.log(3.0), -1e4, 1e4], np.float32))
    assert np.allclose(found, [0.5, 0.75, 0.0, 1.0], atol=1e-6)


class SmallGPU:
    """Stands in for ``Runner._forward``: a GPU on which nothing fits, a CPU that computes."""

    def __init__(self, runner: Runner):
        self.device, self.real, self.tried = runner.device, runner._forward, []

    def __call__(self, batch: np.ndarray, exact: bool) -> np.ndarray:
        self.tried.append((self.device.kind, self.device.half, len(batch)))
        if self.device.kind == "cuda":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return self.real(batch, exact)


@pytest.fixture
def small_gpu(bundle, monkeypatch) -> tuple[Runner, SmallGPU]:
    monkeypatch.setattr(device_module, "cpu_has_bf16", lambda: False)
    made = runner(bundle, Device("cuda", "GPU: test, 1 GB", half=False))
    gpu = SmallGPU(made)
    monkeypatch.setattr(made, "_forward", gpu)
    return made, gpu


def test_out_of_memory_goes_down_step_by_step_and_says_so(bundle, small_gpu):
    made, gpu = small_gpu
    batch = np.random.default_rng(0).normal(size=(2, 1, 8, 8, 8)).astype(np.float32)
    found = made(batch)
    assert gpu.tried == [
        ("cuda", False, 2),  # everything at once
        ("cuda", False, 1),  # one after the other
        ("cuda", True, 1),  # in half precision
        ("cpu", False, 1),  # on the CPU
        ("cpu", False, 1),  # the second stays there
    ]
    assert made.device.notices == [
        "The GPU ran out of memory; continued with smaller batches.",
        "The GPU ran out of memory; continued in half precision.",
        "The GPU ran out of memory; continued on the CPU, which is slower.",
    ]
    assert made.device.text.startswith("CPU")
    assert np.allclose(found, runner(bundle)(batch), atol=1e-5)


def test_later_calls_stay_where_the_first_ended(small_gpu):
    made, gpu = small_gpu
    image = np.zeros((1, 1, 8, 8, 8), np.float32)
    made(image)
    gpu.tried.clear()
    made(np.concatenate((image, image)))
    assert gpu.tried == [("cpu", False, 2)]
    assert len(made.device.notices) == 2  # half precision, CPU


def test_a_cpu_without_memory_says_so(bundle, monkeypatch):
    made = runner(bundle)

    def full(batch, exact):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: 1 TB")

    monkeypatch.setattr(made, "_forward", full)
    with pytest.raises(MemoryError, match="Not enough memory"):
        made(np.zeros((1, 1, 8, 8, 8), np.float32))


def test_another_error_is_not_taken_for_missing_memory(bundle):
    with pytest.raises(RuntimeError, match="size"):
        runner(bundle)(np.zeros((1, 1, 7, 8, 8), np.float32))

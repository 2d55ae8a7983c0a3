"""Bundles whose parts do not fit together are refused when they are loaded, not in the middle of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from Testing.harness.bundles import write_manifest
from Testing.harness.untrained import untrained_values, write_stand_in
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems import create

CPU = Device("cpu", "CPU", half=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_stand_in(tmp_path / "bundle")


def create_with(bundle: Path, place: str, value) -> None:
    """Create the system of ``bundle`` with ``place`` ("networks.locate.outputs") of its manifest set to ``value``."""
    values = json.loads((bundle / "manifest.json").read_text())
    *way, last = place.split(".")
    target = values
    for key in way:
        target = target[int(key)] if isinstance(target, list) else target[key]
    target[last] = value
    write_manifest(bundle, values)
    create(load_model(bundle), CPU)


def test_the_stand_in_is_accepted(bundle):
    create(load_model(bundle), CPU).self_test()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("system", "crystal-ball", "needs the system 'crystal-ball', which this version lacks"),
        ("networks", {}, "networks must list"),
        ("networks.locate.outputs", ["Larynx", "Parotid_R", "Heart"], "no output for the organ 'Parotid_L'"),
        ("networks.locate.outputs", ["Larynx", "Larynx", "Parotid_R"], "each once"),
        ("networks.locate.outputs", ["Larynx", "Parotid_R"], "another number of outputs than the 2"),
        ("networks.segment.outputs", [], "one or more outputs"),
        ("networks.locate.arguments.outputs", 7, "another number of outputs than the 3"),
        ("networks.locate.arguments.dims", 2, "three dimensions"),
        ("networks.segment.arguments.inputs", 2, "must take one image"),
        ("networks.segment.architecture", "sanet", "'segment' must be a U-Net, not 'sanet'"),
        ("organs.0.output", 3, "Larynx.output is 3, but the network 'segment' has 3 outputs"),
        ("organs.0.output", -1, "Larynx.output must be the number of an output"),
        ("organs.0.crop_mm", [2000.0, 2000.0, 2000.0], "implausibly many voxels"),
        ("organs.0.located_score", 0.9, "must rise"),
        ("organs.0.volume_ml", [5.0, 1.0], "must be \\[low, high\\]"),
        ("parameters.average_mirror", "yes", "'average_mirror' must be true, false or a list of organs"),
        ("parameters.average_mirror", [1], "'average_mirror' must be true, false or a list of organs"),
        ("parameters.box_slack_mm", "3", "'box_slack_mm' must be a distance"),
        ("parameters.box_slack_mm", True, "'box_slack_mm' must be a distance"),
        ("parameters.recentre_mm", -1.0, "'recentre_mm' must be a distance"),
        ("parameters.on_load", "import os", "parameter 'on_load' is unknown"),
        ("self_test.atol", 1e9, "self_test.atol must be"),
        ("self_test.atol", 0.0, "self_test.atol must be"),
    ],
)
def test_what_does_not_fit_is_refused(bundle, place, value, message):
    with pytest.raises(ModelRefused, match=message):
        create_with(bundle, place, value)


@pytest.mark.parametrize("role", ["locate", "segment"])
def test_a_missing_network_is_refused(bundle, role):
    values = json.loads((bundle / "manifest.json").read_text())
    del values["networks"][role]
    write_manifest(bundle, values)
    with pytest.raises(ModelRefused, match=f"lacks the network '{role}'"):
        create(load_model(bundle), CPU)


def self_test_with(bundle: Path, name: str, tensor: np.ndarray | None) -> None:
    tensors = load_file(bundle / "selftest.safetensors")
    tensors.pop(name)
    save_file(tensors | ({name: tensor} if tensor is not None else {}), bundle / "selftest.safetensors")
    sign(bundle)
    create(load_model(bundle), CPU).self_test()


def sign(bundle: Path) -> None:
    values = json.loads((bundle / "manifest.json").read_text())
    write_manifest(bundle, {**values, "files": untrained_values(bundle)["files"]})


@pytest.mark.parametrize("name", ["locate.input", "segment.expected"])
def test_a_self_test_without_a_tensor_is_refused(bundle, name):
    with pytest.raises(ModelRefused, match="lacks the input or the output of the network"):
        self_test_with(bundle, name, None)


@pytest.mark.parametrize(
    "tensor",
    [
        np.zeros((1, 1, 7, 8, 8), np.float32),  # no multiple of 2
        np.zeros((1, 2, 8, 8, 8), np.float32),
        np.zeros((1, 8, 8, 8), np.float32),
        np.zeros((1, 1, 0, 8, 8), np.float32),
        np.zeros((1, 1, 8, 8, 8), np.float64),
        np.zeros((1, 1, 256, 256, 256), np.float32),
    ],
)
def test_a_self_test_that_the_network_cannot_take_is_refused(bundle, tensor):
    with pytest.raises(ModelRefused, match="self-test of the network 'locate' is not made for it"):
        self_test_with(bundle, "locate.input", tensor)


@pytest.mark.parametrize(
    "tensor", [np.zeros((1, 3, 8, 8, 8), np.float32), np.full((1, 3, 8, 8, 8), np.nan, np.float32), np.zeros(3, "f4")]
)
def test_another_answer_than_the_networks_is_refused(bundle, tensor):
    with pytest.raises(ModelRefused, match="self-test of the network 'segment' failed"):
        self_test_with(bundle, "segment.expected", tensor)


def test_a_self_test_that_is_no_safetensors_is_refused(bundle):
    (bundle / "selftest.safetensors").write_bytes(b"no tensors")
    sign(bundle)
    with pytest.raises(ModelRefused, match="cannot be read"):
        create(load_model(bundle), CPU).self_test()

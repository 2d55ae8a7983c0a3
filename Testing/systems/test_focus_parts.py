"""Parts of ``focus`` by hand: chunks and their average, the crop's place, and the bundles that are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from Testing.harness.focus_bundle import ORGANS, WIDTH, write_focus_bundle
from training.heatmaps import gaussian_mm
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.grid import Grid
from TwoStageSegLib.model import load_model
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.focus import Focus
from TwoStageSegLib.systems.focus_scan import Scan, chunk_starts, deepest_in, gaussian
from TwoStageSegLib.systems.runner import softmax
from TwoStageSegLib.volume import Volume

from .test_slice_centre import changed

CPU = Device("cpu", "CPU", half=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_focus_bundle(tmp_path_factory.mktemp("focus") / "bundle")


@pytest.mark.parametrize(
    ("depth", "chunk", "stride", "starts"),
    [
        (40, 40, 20, [0]),
        (41, 40, 20, [0, 1]),
        (80, 40, 20, [0, 20, 40]),
        (80, 40, 40, [0, 40]),  # without overlap, as the paper prints it
        (90, 40, 40, [0, 40, 50]),
    ],
)
def test_chunks_cover_the_scan_and_end_with_it(depth, chunk, stride, starts):
    assert chunk_starts(depth, chunk, stride) == starts


def test_each_slice_lies_deepest_in_the_chunk_with_the_nearest_middle():
    """Chunks of 4 from 0, 2 and 5 on have their middles at 1.5, 3.5 and 6.5; slice 5 is as far from both."""
    assert deepest_in([0, 2, 5], 4, 9).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


class Counting:
    """S-Net or SOL-Net that answers with another number at every call."""

    def __init__(self, runner, answers):
        self.spec, self.network, self.answers, self.calls = runner.spec, runner.network, answers, 0

    def __call__(self, batch, exact=False):
        values = self.answers[self.calls]
        self.calls += 1
        return np.stack([np.full(batch.shape[2:], v, np.float32) for v in values])[None]


def test_chunks_are_averaged_and_features_are_not(folder):
    """36 slices in chunks of 24 from 0 and 12 on: slices 12 to 23 are seen twice; 0 to 17 lie deeper in the first."""
    looker = Focus(load_model(folder), CPU).looker
    maps = [[0.0, logit, *[feature] * (2 * WIDTH)] for logit, feature in ((np.log(3), 7.0), (-np.log(4), 9e4))]
    snet = Counting(looker.snet, maps)
    sol = Counting(looker.sol, [[0.0, 0.0], [np.log(9), 0.0]])
    volume = Volume(np.zeros((36, 48, 48), np.int16), Geometry((36, 48, 48), (0, 0, 0), (3.0, 3.0, 3.0)))
    grid = Grid((0, 0, 0), (1, 1, 1), (36, 48, 48))
    scan = replace(looker, snet=snet, sol=sol).look(volume, grid)
    assert snet.calls == sol.calls == 2
    assert np.allclose(scan.shares["Brainstem"][:, 5, 5], np.repeat([0.75, (0.75 + 0.2) / 2, 0.2], 12))
    assert np.allclose(scan.heat["OpticChiasm"][:, 5, 5], np.repeat([0.5, 0.7, 0.9], 12))
    assert np.allclose(scan.features[:, :, 5, 5], np.repeat([7.0, 65504.0], 18))  # half precision ends there


def test_s_nets_answers_come_one_after_the_other(folder):
    runner = Focus(load_model(folder), CPU).looker.snet
    batch = np.random.default_rng(0).normal(size=(1, 1, 4, 8, 8)).astype(np.float32)
    with torch.inference_mode():
        logits, features, first = runner.network(torch.from_numpy(batch))
    got = runner(batch)
    assert got.shape == (1, 2 + 2 * WIDTH, 4, 8, 8)
    assert np.allclose(got, np.concatenate((logits, features, first), 1), atol=1e-5)


def test_softmax_by_hand():
    assert np.allclose(
        softmax(np.array([[1000.0, 1000.0], [-5.0, np.log(3) - 5.0]], np.float32)), [[0.5, 0.5], [0.25, 0.75]]
    )


def test_a_crop_keeps_its_size_at_the_border():
    volume = Volume(np.zeros((20, 30, 30), np.int16), Geometry((20, 30, 30), (0, 0, 0), (1.0, 1.0, 2.0)))
    maps = np.zeros((10, 20, 20), np.float32)
    scan = Scan(volume, Grid((2, 4, 4), (1, 1, 1), maps.shape), maps, {}, {}, None)
    assert scan.part((14, 14, 14), (8, 6, 6)) == (slice(3, 7), slice(7, 13), slice(7, 13))
    assert scan.part((4, 22, 14), (8, 6, 6)) == (slice(3, 7), slice(14, 20), slice(0, 6))
    assert scan.part((14, 14, 14), (800, 6, 6))[0] == slice(0, 10)  # never larger than what was seen
    assert scan.grid_of((slice(3, 7), slice(7, 13), slice(7, 13))) == Grid((5, 11, 11), (1, 1, 1), (4, 6, 6))
    assert scan.holds((4, 4, 4)) and scan.holds((3.6, 4, 4)) and not scan.holds((3.4, 4, 4))


def test_the_gaussian_of_a_click_is_what_the_locator_was_trained_on():
    centre, spacing = np.array([3.2, 5.0, 4.5]), np.array([3.0, 1.0, 1.0])
    expected = gaussian_mm((8, 9, 10), tuple(centre), tuple(spacing), 5.0)
    assert np.allclose(gaussian((8, 9, 10), centre, 5.0 / spacing), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("networks.segment.architecture", "unet", "'segment' must be a s-net"),
        ("networks.locate.architecture", "sos-net", "'locate' must be a sol-net"),
        ("networks.lens.architecture", "sol-net", "'lens' must be a sos-net"),
        ("networks.segment.arguments.inputs", 2, "'segment' must take 1 channels"),
        ("networks.segment.arguments.outputs", 3, "have the outputs that it names"),
        ("networks.segment.arguments.widths", [4, 4], "name its three widths"),
        ("networks.segment.arguments.widths", 4, "name its three widths"),
        ("networks.locate.arguments.inputs", 8, "'locate' must take 4 channels"),
        ("networks.locate.arguments.outputs", 3, "have the outputs that it names"),
        ("networks.locate.outputs", ["Lens_R", "Lens_L"], "no output for the organ 'OpticChiasm'"),
        ("networks.chiasm.arguments.inputs", 9, "'chiasm' must take 10 or 1 channels"),
        ("networks.chiasm.arguments", {}, "'chiasm' must take 10 or 1 channels"),
        ("networks.chiasm.spacing_mm", [3.0, 1.0, 1.0], "the spacing_mm of 'segment'"),
        ("networks.chiasm.outputs", ["a", "b"], "output must be 0, the only output"),
        ("organs.0.name", "Heart", "not the output 'Heart' of 'segment'"),
        ("organs.0.output", 0, "not the output 'Brainstem' of 'segment'"),
        ("organs.0.output", 7, "not the output 'Brainstem' of 'segment'"),
        ("organs.1.network", "locate", "is the locator"),
        ("organs.1.network", "other", "lacks the network 'other'"),
        ("organs.1.mirror", True, "does not mirror"),
        ("organs.1.output", 1, "output must be 0, the only output"),
        ("organs.1.crop_mm", [80.0, 24.0, 24.0], "larger than what S-Net sees at once"),
        ("organs.1.crop_mm", [24.0, 24.0, 150.0], "larger than what S-Net sees at once"),
        ("parameters.average_mirror", True, "'average_mirror' is unknown"),
        ("parameters.field_mm", "wide", "'field_mm' must be a number"),
        ("parameters.field_mm", 0, "'field_mm' must be at least 1 mm"),
        ("parameters.heat_sigma_mm", 0, "'heat_sigma_mm' must be at least 1 mm"),
        ("parameters.chunk_slices", 25, "even number of slices"),
        ("parameters.chunk_slices", 24.0, "even number of slices"),
        ("parameters.chunk_stride", 25, "from 3 to 24"),
        ("parameters.chunk_stride", 2, "from 3 to 24"),
        ("parameters.chunk_stride", 12.5, "from 3 to 24"),
    ],
)
def test_a_bundle_whose_parts_do_not_fit_is_refused(folder, tmp_path, place, value, message):
    with pytest.raises(ModelRefused, match=message):
        create(load_model(changed(folder, tmp_path / "bundle", place, value)), CPU)


def edited(folder: Path, copy: Path, change) -> Path:
    values = json.loads((folder / "manifest.json").read_text())
    change(values)
    return changed(changed(folder, copy / "a", "networks", values["networks"]), copy / "b", "organs", values["organs"])


def test_without_a_locator_there_are_only_large_organs(folder, tmp_path):
    def no_locator(values):
        del values["networks"]["locate"]

    def large_only(values):
        no_locator(values)
        values["organs"] = values["organs"][:1]

    with pytest.raises(ModelRefused, match="lacks the network 'locate'"):
        create(load_model(edited(folder, tmp_path / "1", no_locator)), CPU)
    system = create(load_model(edited(folder, tmp_path / "2", large_only)), CPU)
    system.self_test()
    volume = Volume(np.full((20, 40, 40), 40, np.int16), Geometry((20, 40, 40), (0, 0, 0), (3.0, 3.0, 3.0)))
    assert list(system.locate(volume, ["Brainstem"])) == ["Brainstem"]


@pytest.mark.parametrize(
    ("spacing_mm", "message"),
    [
        ([3.0, 0.1, 0.1], "'field_mm' and 'chunk_slices' hold implausibly many voxels"),
        ([0.1, 0.3, 0.3], "'segment' works on implausibly many voxels"),  # 20000 slices of a body
    ],
)
def test_implausibly_many_voxels_are_refused(folder, tmp_path, spacing_mm, message):
    def fine(values):
        for network in values["networks"].values():
            network["spacing_mm"] = spacing_mm
        for organ in values["organs"]:
            organ["crop_mm"] = [2.0, 2.0, 2.0]

    with pytest.raises(ModelRefused, match=message):
        create(load_model(edited(folder, tmp_path, fine)), CPU)


@pytest.mark.parametrize("role", ["segment", "locate", "chiasm", "lens"])
def test_a_self_test_of_other_weights_fails(folder, role):
    made = Focus(load_model(folder), CPU)
    assert made.manifest.organ_names == tuple(ORGANS)
    runner = {"segment": made.looker.snet, "locate": made.looker.sol, **made.segmenters}[role]
    with torch.no_grad():
        runner.network.head.bias.add_(0.05)
    with pytest.raises(ModelRefused, match=f"self-test of the network '{role}'"):
        made.self_test()

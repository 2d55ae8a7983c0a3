"""``slice-filter``: with random weights end to end, and with networks replaced by a threshold, so that every slice and
voxel is known beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.filter_bundle import ORGAN, write_filter_bundle
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Kind, Region, Source, Status
from TwoStageSegLib.review.signals import measure
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.runner import share
from TwoStageSegLib.systems.slice_filter import SliceFilter
from TwoStageSegLib.volume import Volume

from .test_slice_centre import LEVEL, SHAPE, SPACING_XYZ, changed, dice

CPU = Device("cpu", "CPU", half=False)
TARGET = range(10, 18)  # 12 x 12 voxels in these slices
SMALL = range(3, 7)  # 6 x 6 voxels elsewhere, which the classifier below does not count


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_filter_bundle(tmp_path_factory.mktemp("filter") / "bundle")


class Count:
    """Stands in for the classifier: 0.98 for slices with a hundred bright pixels or more, if it is not blind."""

    def __init__(self, runner, blind: bool = False):
        self.spec, self.network, self.blind, self.batches = runner.spec, runner.network, blind, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        seen = ((batch > LEVEL).sum((1, 2, 3)) >= 100) & (not self.blind)
        return np.stack((np.where(seen, -2, 2), np.where(seen, 2, -2)), 1).astype(np.float32)


class Bright:
    """Stands in for SANet: the organ is what is bright."""

    def __init__(self, runner):
        self.spec, self.network, self.batches = runner.spec, runner.network, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        return np.concatenate((np.zeros_like(batch), np.where(batch > LEVEL, 8, -8)), 1).astype(np.float32)


def stubbed(folder: Path, blind: bool = False, **settings: float) -> SliceFilter:
    made = SliceFilter(load_model(folder), CPU)
    made.runners = {"locate": Count(made.runners["locate"], blind), "segment": Bright(made.runners["segment"])}
    made.settings |= settings
    return made


def phantom(target=TARGET, small=SMALL) -> Volume:
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[:, 8:-8, 6:-6] = 40
    for z in target:
        voxels[z, 20:32, 30:42] = 700
    for z in small:
        voxels[z, 40:46, 12:18] = 700
    return Volume(voxels, Geometry(SHAPE, (10.0, -20.0, 30.0), SPACING_XYZ), "CT")


def truth(volume: Volume, slices) -> np.ndarray:
    out = np.zeros(SHAPE, bool)
    out[list(slices)] = volume.voxels[list(slices)] == 700
    return out


def drawn(system: SliceFilter) -> int:
    return sum(len(batch) for batch in system.runners["segment"].batches)


def click(volume: Volume, z: float, y: float, x: float) -> Region:
    return Region.click(ORGAN, volume.geometry.index_to_lps((z, y, x)))


def test_a_random_bundle_runs_from_end_to_end(folder, tmp_path):
    """Noise: every slice passes a threshold of 0.001, none one of 0.999."""
    low = changed(folder, tmp_path / "low", "parameters.slice_threshold", 0.001)
    pipeline = Pipeline(load_model(changed(low, tmp_path / "lower", "organs.0.located_score", 0.0)), "cpu")
    pipeline.system.self_test()
    volume = phantom()
    (result,) = pipeline.run(volume).organs
    assert result.region.usable and result.region.kind == Kind.SLICE_RANGE
    clicked = pipeline.run(volume, [ORGAN], {ORGAN: click(volume, 12, 25, 35)})
    assert clicked.organs[0].region.source == Source.CLICK
    for found in (result, *clicked.located):
        if found.mask is not None:
            assert found.mask.geometry == volume.geometry
            assert found.mask.full().sum() == found.mask.voxels.sum() > 0
    high = Pipeline(load_model(changed(folder, tmp_path / "high", "parameters.slice_threshold", 0.999)), "cpu")
    assert high.run(volume).missing == (ORGAN,)


def test_the_share_of_one_output_by_hand():
    logits = np.array([[np.log(3), 0.0], [1000.0, 1000.0]], np.float32)
    assert np.allclose(share(logits, 1), [0.25, 0.5])
    assert np.allclose(share(logits, 0), [0.75, 0.5])


def test_the_positive_slices_make_the_range(folder):
    volume = phantom()
    region = stubbed(folder).locate(volume, [ORGAN])[ORGAN]
    assert (region.kind, region.source, region.status) == (Kind.SLICE_RANGE, Source.AUTO, Status.LOCATED)
    z = volume.geometry.lps_to_index(region.corners_lps())[:, 0]
    assert (z.min(), z.max()) == (pytest.approx(9.5), pytest.approx(17.5))
    assert region.score == pytest.approx(1 / (1 + np.exp(-4.0)))


def test_margins_make_the_range_longer(folder, tmp_path):
    wide = changed(folder, tmp_path / "wide", "organs.0.margin_mm", [0.0, 0.0, 0.0, 0.0, 2.5, 5.0])
    system, volume = stubbed(wide), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    system.segment(volume, region)
    assert drawn(system) == len(TARGET) + 1 + 2


def test_nothing_there_is_not_located(folder):
    region = stubbed(folder).locate(phantom(()), [ORGAN])[ORGAN]
    assert region.status == Status.NOT_LOCATED and not region.usable
    assert region.score == pytest.approx(1 / (1 + np.exp(4.0)))
    air = Volume(np.full((8, 40, 40), -1000, np.int16), Geometry((8, 40, 40), (0, 0, 0), SPACING_XYZ), "CT")
    assert stubbed(folder).locate(air, [ORGAN])[ORGAN].status == Status.NOT_LOCATED


def test_only_positive_slices_are_drawn(folder):
    """What is bright in the other slices would be a false positive."""
    system, volume = stubbed(folder), phantom()
    mask = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN])
    assert drawn(system) == len(TARGET)
    assert np.array_equal(np.flatnonzero(mask.full().any((1, 2))), TARGET)
    assert dice(mask.full(), truth(volume, TARGET)) > 0.95
    assert not mask.touches_edge


@pytest.mark.parametrize(("gaps", "expected"), [(0, [*range(13, 18)]), (1, [10, 11, *range(13, 18)])])
def test_gaps_are_closed_only_if_the_bundle_says_so(folder, gaps, expected):
    target = [z for z in TARGET if z != 12]
    system, volume = stubbed(folder, close_gaps=gaps), phantom(target)
    region = system.locate(volume, [ORGAN])[ORGAN]
    full = system.segment(volume, region).full()
    assert np.flatnonzero(full.any((1, 2))).tolist() == expected
    sure = 1 / (1 + np.exp(-4.0))
    assert region.score == pytest.approx(sure if gaps else sure * 5 / 7)


@pytest.mark.parametrize("blind", [False, True])
def test_a_click_on_one_slice_and_its_neighbours_follow(folder, blind):
    system, volume = stubbed(folder, blind), phantom()
    full = system.segment(volume, click(volume, 12, 25, 35)).full()
    assert dice(full, truth(volume, TARGET)) > 0.95


def test_a_click_shows_what_the_classifier_did_not_see(folder):
    system, volume = stubbed(folder), phantom()
    full = system.segment(volume, click(volume, 5, 42, 14)).full()
    assert dice(full, truth(volume, SMALL)) > 0.95


@pytest.mark.parametrize(("blind", "expected"), [(True, range(3, 22)), (False, range(30))])
def test_an_unseen_organ_is_followed_only_so_far(folder, blind, expected):
    system, volume = stubbed(folder, blind), phantom(range(30), ())
    full = system.segment(volume, click(volume, 12, 25, 35)).full()
    # 48 mm / 2 / 2.5 mm = 9 slices to either side
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), expected)


def test_a_click_begins_within_reach_in_its_own_slice(folder):
    system, volume = stubbed(folder), phantom()
    # 12 mm are 4 voxels; the target ends at column 41
    assert not system.segment(volume, click(volume, 12, 25, 44.5)).empty
    assert system.segment(volume, click(volume, 12, 25, 46.5)).empty
    assert system.segment(volume, click(volume, 20, 25, 35)).empty  # two slices above it


def test_a_drawn_box_bounds_slices_and_mask(folder):
    system, volume = stubbed(folder, box_slack_mm=0.0), phantom()
    low, high = volume.geometry.index_to_lps((11.5, 15, 25)), volume.geometry.index_to_lps((14.5, 40, 35.5))
    full = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel())).full()
    assert drawn(system) == 3
    expected = truth(volume, range(12, 15))
    expected[:, :, 36:] = False
    assert dice(full, expected) > 0.95 and not full[:, :, 36:].any()


def test_in_a_drawn_box_negative_slices_are_drawn_too(folder):
    system, volume = stubbed(folder), phantom()
    low, high = volume.geometry.index_to_lps((2.5, 36, 9)), volume.geometry.index_to_lps((5.5, 49, 22))
    full = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel())).full()
    assert dice(full, truth(volume, range(3, 6))) > 0.95


@pytest.mark.parametrize(("low_z", "high_z", "slice_"), [(12.2, 12.4, 12), (29.5, 33.0, 29), (-4.0, -0.5, 0)])
def test_a_box_thinner_than_a_slice_holds_one(folder, low_z, high_z, slice_):
    """Also one that only touches the scan's end."""
    system, volume = stubbed(folder), phantom(range(30), ())
    low, high = volume.geometry.index_to_lps((low_z, 15, 25)), volume.geometry.index_to_lps((high_z, 40, 45))
    full = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel())).full()
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), [slice_])


def test_the_field_moves_to_what_the_user_points_at(folder):
    """A field of 96 mm around the body's middle ends before the small target, a click brings it there."""
    system, volume = stubbed(folder, field_mm=96.0), phantom()
    full = system.segment(volume, click(volume, 5, 42.25, 13.75)).full()  # pixels a quarter beside the scan's
    assert {b.shape[2:] for b in system.runners["segment"].batches} == {(32, 32)}
    assert dice(full, truth(volume, SMALL)) > 0.95


def test_an_organ_larger_than_the_field_says_so(folder):
    system, volume = stubbed(folder, field_mm=48.0), phantom()
    volume.voxels[12, 15:45, 20:50] = 700
    assert system.segment(volume, system.locate(volume, [ORGAN])[ORGAN]).touches_edge


def test_a_regions_json_and_the_orientation_on_disk_do_not_matter(folder):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    full = system.segment(volume, region).full()
    again = system.segment(volume, Region.from_json(json.loads(json.dumps(region.as_json())))).full()
    assert np.array_equal(again, full)
    origin = tuple(float(v) for v in volume.geometry.index_to_lps((SHAPE[0] - 1, 0, SHAPE[2] - 1)))
    direction = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    turned = Volume(volume.voxels[::-1, :, ::-1], Geometry(SHAPE, origin, SPACING_XYZ, direction), "CT")
    other = stubbed(folder)
    found = other.segment(turned, other.locate(turned, [ORGAN])[ORGAN]).full()
    assert np.array_equal(found[::-1, :, ::-1], full)


def test_evidence_is_what_the_mask_rests_on(folder):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    mask = system.segment(volume, region)
    before = drawn(system)
    quick = system.evidence(volume, region, again=False)
    assert drawn(system) == before and quick.again is None and quick.score == region.score
    z, y, x = quick.start_zyx
    shape = quick.probability.shape
    part = mask.full()[z : z + shape[0], y : y + shape[1], x : x + shape[2]]
    assert np.array_equal(quick.probability > quick.threshold, part)
    second = system.evidence(volume, region, again=True).again
    assert drawn(system) == before + len(TARGET)
    assert second.shape == shape and dice(np.nan_to_num(second) > 0.5, part) > 0.95
    signals = measure(mask, system.evidence(volume, region, again=True), volume, 700.0, 0.0).values
    assert all(np.isfinite(profile).all() for profile in signals.values()) and "disagreement" in signals
    placed = click(volume, 12, 25, 35)
    assert system.evidence(volume, placed, again=False).score is None


def test_the_classifier_runs_once_per_volume(folder):
    system, volume = stubbed(folder), phantom()
    system.locate(volume, [ORGAN])
    runs = len(system.runners["locate"].batches)
    system.segment(volume, click(volume, 12, 25, 35))
    assert len(system.runners["locate"].batches) == runs
    system.locate(phantom(), [ORGAN])
    assert len(system.runners["locate"].batches) == 2 * runs


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("networks.locate.architecture", "centernet", "'locate' must be a slice-classifier"),
        ("networks.segment.architecture", "unet", "'segment' must be a sanet"),
        ("networks.locate.outputs", ["background", "Heart"], "the second for the organ 'GTV'"),
        ("networks.locate.arguments.outputs", 3, "must take one image and have the outputs"),
        ("networks.segment.arguments.widths", [4, 4], "cannot be built"),
        ("organs.0.output", 0, "after the first, the background"),
        ("organs.0.output", 2, "after the first, the background"),
        ("organs.0.mirror", True, "does not mirror"),
        ("organs.0.network", "locate", "is the classifier"),
        ("organs.0.network", "other", "lacks the network 'other'"),
        ("parameters.gap_mm", 1, "'gap_mm' is unknown"),
        ("parameters.close_gaps", 1.5, "whole number"),
        ("parameters.slice_threshold", 1, "between 0 and 1"),
        ("parameters.field_mm", 0, "at least 1 mm"),
        ("parameters.reach_mm", 0, "at least 1 mm"),
        ("networks.segment.spacing_mm", [3.0, 0.1, 0.04], "must be 3 sizes"),
        ("parameters.field_mm", 1000, None),
    ],
)
def test_a_bundle_whose_parts_do_not_fit_is_refused(folder, tmp_path, place, value, message):
    bundle = changed(folder, tmp_path / "bundle", place, value)
    if message is None:
        create(load_model(bundle), CPU)
        return
    with pytest.raises(ModelRefused, match=message):
        create(load_model(bundle), CPU)


def test_two_organs_are_refused(folder, tmp_path):
    organ = json.loads((folder / "manifest.json").read_text())["organs"][0]
    bundle = changed(folder, tmp_path / "bundle", "organs", [organ, organ | {"name": "Heart"}])
    with pytest.raises(ModelRefused, match="must have one organ"):
        create(load_model(bundle), CPU)


def test_a_self_test_of_other_weights_fails(folder):
    import torch

    made = SliceFilter(load_model(folder), CPU)
    with torch.no_grad():
        made.runners["locate"].network.head.bias.add_(0.05)
    with pytest.raises(ModelRefused, match="self-test of the network 'locate'"):
        made.self_test()

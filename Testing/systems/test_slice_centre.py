"""``slice-centre``: with random weights end to end, and with networks replaced by a threshold, so that every centre and
voxel is known beforehand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.bundles import write_manifest
from Testing.harness.slice_bundle import ORGANS, write_slice_bundle
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Kind, Region, Source, Status
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.slice_centre import SliceCentre
from TwoStageSegLib.volume import Volume

ORGAN = "Esophagus"
LEVEL = 370 / 150  # half way between the tube and what is around it, in this bundle's scale
SPACING_XYZ = (3.0, 3.0, 2.5)
SHAPE = (30, 60, 64)
TUBE = {z: (20 + z // 2, 34 - z // 3) for z in range(6, 24)}  # slice -> first row, first column of 6 x 6 voxels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice_bundle(tmp_path_factory.mktemp("slices") / "bundle")


@pytest.fixture(scope="module")
def flat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice_bundle(tmp_path_factory.mktemp("flat") / "bundle", chunk=False)


class Dense:
    """Stands in for a network: what is above ``level`` in the normalised image, in every channel; cells of 4 pixels for
    the locator, which may look ``shift`` cells beside it or not at all."""

    def __init__(self, runner, locator: bool = False, shift: int = 0, blind: bool = False):
        self.spec, self.network, self.locator = runner.spec, runner.network, locator
        self.shift, self.blind, self.batches = shift, blind, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        dense = (batch > LEVEL).astype(np.float32)
        if self.locator:
            n, _, h, w = dense.shape
            dense = dense.reshape(n, 1, h // 4, 4, w // 4, 4).mean((3, 5))
            dense = np.roll(dense, self.shift, 3) * (0 if self.blind else 1)
        logits = np.log((0.999 * dense + 0.0005) / (0.9995 - 0.999 * dense))
        return np.repeat(logits.astype(np.float32), len(self.spec.outputs), axis=1)


def stubbed(folder: Path, shift: int = 0, blind: bool = False) -> SliceCentre:
    made = SliceCentre(load_model(folder), Device("cpu", "CPU", half=False))
    for role, runner in made.runners.items():
        made.runners[role] = Dense(runner, role == "locate", shift, blind)
    return made


def phantom(tube=TUBE) -> Volume:
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[:, 8:-8, 6:-6] = 40
    for z, (row, column) in tube.items():
        voxels[z, row : row + 6, column : column + 6] = 700
    return Volume(voxels, Geometry(SHAPE, (10.0, -20.0, 30.0), SPACING_XYZ), "CT")


def middle(z: int) -> tuple[float, float, float]:
    return z, TUBE[z][0] + 2.5, TUBE[z][1] + 2.5


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * int((a & b).sum()) / int(a.sum() + b.sum())


def changed(folder: Path, copy: Path, place: str, value) -> Path:
    """A copy of the bundle with ``place`` ("organs.0.mirror") of its manifest set to ``value``."""
    shutil.copytree(folder, copy)
    values = json.loads((copy / "manifest.json").read_text())
    *way, last = place.split(".")
    target = values
    for key in way:
        target = target[int(key)] if isinstance(target, list) else target[key]
    target[last] = value
    write_manifest(copy, values)
    return copy


def test_a_random_bundle_runs_from_end_to_end(folder, tmp_path):
    """Noise reaches 0.95 in the first organ's heatmaps and 0.55 in the second's, which asks for 0.9."""
    high = changed(folder, tmp_path / "high", "organs.1.low_score", 1.0)
    pipeline = Pipeline(load_model(changed(high, tmp_path / "higher", "organs.1.located_score", 0.9)), "cpu")
    pipeline.system.self_test()
    volume = phantom()
    result = pipeline.run(volume)
    assert tuple(o.organ for o in result.organs) == ORGANS
    assert [o.region.usable for o in result.organs] == [True, False]
    assert [o.organ for o in result.located] == [ORGAN]
    clicked = pipeline.run(volume, [ORGAN], {ORGAN: Region.click(ORGAN, volume.geometry.index_to_lps(middle(12)))})
    for found in (*result.located, *clicked.located):
        assert found.mask.geometry == volume.geometry
        assert found.mask.full().sum() == found.mask.voxels.sum() > 0


def test_centres_are_found_slice_by_slice(flat_folder):
    volume = phantom()
    region = stubbed(flat_folder).locate(volume, [ORGAN])[ORGAN]
    assert (region.kind, region.source, region.status) == (Kind.CENTRES, Source.AUTO, Status.LOCATED)
    index = volume.geometry.lps_to_index(np.asarray(region.centres_lps))
    assert np.allclose(index[:, 0], list(TUBE))
    # the tube is 18 mm wide, a cell 12 mm: the centroid of the cells is right to less than a third of one
    assert np.abs(index[:, 1:] - [middle(z)[1:] for z in TUBE]).max() * 3 < 4
    low, high = np.reshape(region.bounds_lps, (3, 2)).T
    corners = volume.geometry.index_to_lps([[6, 25.5, 29.5], [23, 33.5, 34.5]])
    assert (low <= corners.min(0)).all() and (high >= corners.max(0)).all()


def test_nothing_there_is_not_located(flat_folder):
    system = stubbed(flat_folder)
    region = system.locate(phantom({}), [ORGAN])[ORGAN]
    assert region.status == Status.NOT_LOCATED and not region.usable
    air = Volume(np.full((8, 40, 40), -1000, np.int16), Geometry((8, 40, 40), (0, 0, 0), SPACING_XYZ), "CT")
    assert system.locate(air, [ORGAN])[ORGAN].status == Status.NOT_LOCATED


def test_a_patient_off_centre_is_seen(flat_folder):
    """Field 192 mm, the patient in a corner of 600 mm of air: the field follows the body."""
    small = phantom()
    voxels = np.full((30, 200, 200), -1000, np.int16)
    voxels[:, 130:190, 5:69] = small.voxels
    volume = Volume(voxels, Geometry(voxels.shape, (0.0, 0.0, 0.0), SPACING_XYZ), "CT")
    region = stubbed(flat_folder).locate(volume, [ORGAN])[ORGAN]
    index = volume.geometry.lps_to_index(np.asarray(region.centres_lps))
    expected = [(middle(z)[1] + 130, middle(z)[2] + 5) for z in TUBE]
    assert len(index) == len(TUBE) and np.abs(index[:, 1:] - expected).max() * 3 < 4


@pytest.mark.parametrize("name", ["folder", "flat_folder"])
def test_the_mask_is_the_tube(name, request):
    system, volume = stubbed(request.getfixturevalue(name)), phantom()
    mask = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN])
    full = mask.full()
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), list(TUBE))
    assert dice(full, volume.voxels == 700) > 0.9
    assert not mask.touches_edge


def test_one_missing_slice_does_not_halve_the_organ(flat_folder):
    tube = {z: place for z, place in TUBE.items() if z != 14}
    system, volume = stubbed(flat_folder), phantom(tube)
    region = system.locate(volume, [ORGAN])[ORGAN]
    assert len(region.centres_lps) == len(TUBE)  # 14 lies between its neighbours
    full = system.segment(volume, region).full()
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), list(tube))


def test_the_fine_centres_come_from_the_3d_mask(folder):
    """The locator looks one cell (12 mm) beside the organ; the last crops have it in their middle."""
    system, volume = stubbed(folder, shift=1), phantom()
    system.segment(volume, system.locate(volume, [ORGAN])[ORGAN])
    seen = np.concatenate(system.runners["segment"].batches)[:, 0] > LEVEL
    assert len(seen) == len(TUBE)
    middles = np.array([np.argwhere(s).mean(0) for s in seen])
    assert np.abs(middles - 7.5).max() < 0.7  # crops of 16 x 16 pixels
    coarse = np.concatenate(system.runners["chunk"].batches)[:, 0] > LEVEL
    assert np.argwhere(coarse).mean(0)[3] < 5.0


def test_chunks_are_as_deep_as_the_bundle_says(folder):
    system, volume = stubbed(folder), phantom()
    system.segment(volume, system.locate(volume, [ORGAN])[ORGAN])
    shapes = {b.shape for b in system.runners["chunk"].batches}
    assert shapes == {(1, 1, 8, 16, 16)}
    assert len(system.runners["chunk"].batches) == 4  # slices 6..23: from 6, 10, 14 and 16


def test_an_organ_may_keep_the_3d_mask(folder):
    system, volume = stubbed(folder), phantom()
    organs = [replace(o, network="chunk") for o in system.manifest.organs]
    system.manifest = replace(system.manifest, organs=organs)
    full = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN]).full()
    assert dice(full, volume.voxels == 700) > 0.9
    assert system.runners["segment"].batches == []


@pytest.mark.parametrize("name", ["folder", "flat_folder"])
@pytest.mark.parametrize("blind", [False, True])
def test_a_click_on_one_slice_and_its_neighbours_follow(name, blind, request):
    """With the locator, and for an organ that it does not see at all."""
    system, volume = stubbed(request.getfixturevalue(name), blind=blind), phantom()
    region = Region.click(ORGAN, volume.geometry.index_to_lps((14, *middle(14)[1:])))
    full = system.segment(volume, region).full()
    assert dice(full, volume.voxels == 700) > 0.9
    assert np.array_equal(full[14], volume.voxels[14] == 700)  # the clicked crop lies on the scan's own pixels


def test_an_unseen_organ_is_followed_only_so_far(flat_folder):
    tube = {z: (25, 30) for z in range(30)}
    system, volume = stubbed(flat_folder, blind=True), phantom(tube)
    full = system.segment(volume, Region.click(ORGAN, volume.geometry.index_to_lps((14, 27.5, 32.5)))).full()
    # 48 mm / 2 / 2.5 mm = 9 slices to either side
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), range(5, 24))


def test_a_click_where_nothing_is_gives_an_empty_mask(folder):
    system, volume = stubbed(folder), phantom()
    assert system.segment(volume, Region.click(ORGAN, volume.geometry.index_to_lps((2, 45, 50)))).empty


def test_a_drawn_box_bounds_slices_and_mask(folder):
    system, volume = stubbed(folder), phantom()
    low, high = volume.geometry.index_to_lps((9.5, 15, 20)), volume.geometry.index_to_lps((15.5, 40, 45))
    full = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel())).full()
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), range(10, 16))
    assert dice(full[10:16], volume.voxels[10:16] == 700) > 0.9


def test_a_regions_json_gives_the_same_mask(folder):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    first = system.segment(volume, region).full()
    again = system.segment(volume, Region.from_json(json.loads(json.dumps(region.as_json())))).full()
    assert np.array_equal(first, again)


def test_the_orientation_on_disk_does_not_matter(folder):
    system, volume = stubbed(folder), phantom()
    full = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN]).full()
    g = volume.geometry
    origin = tuple(float(v) for v in g.index_to_lps((SHAPE[0] - 1, 0, SHAPE[2] - 1)))
    direction = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    turned = Volume(volume.voxels[::-1, :, ::-1], Geometry(SHAPE, origin, SPACING_XYZ, direction), "CT")
    other = stubbed(folder)
    found = other.segment(turned, other.locate(turned, [ORGAN])[ORGAN]).full()
    assert np.array_equal(found[::-1, :, ::-1], full)


def test_an_organ_larger_than_its_crop_says_so(flat_folder):
    volume = phantom()
    volume.voxels[10:20, 15:45, 20:50] = 700
    system = stubbed(flat_folder)
    assert system.segment(volume, system.locate(volume, [ORGAN])[ORGAN]).touches_edge


def test_evidence_is_what_the_mask_rests_on(folder):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    mask = system.segment(volume, region)
    before = len(system.runners["segment"].batches)
    quick = system.evidence(volume, region, again=False)
    assert len(system.runners["segment"].batches) == before
    z, y, x = quick.start_zyx
    shape = quick.probability.shape
    part = mask.full()[z : z + shape[0], y : y + shape[1], x : x + shape[2]]
    assert np.array_equal(quick.probability > quick.threshold, part)
    assert quick.score == region.score and quick.again is None
    second = system.evidence(volume, region, again=True).again
    assert second.shape == shape
    assert dice(np.nan_to_num(second) > 0.5, part) > 0.9
    assert np.isnan(second).any()


def test_what_a_person_placed_has_no_location_score(folder):
    system, volume = stubbed(folder), phantom()
    placed = Region.click(ORGAN, volume.geometry.index_to_lps(middle(14)))
    assert system.evidence(volume, placed, again=False).score is None


def test_heatmaps_are_kept_for_one_volume(folder):
    system, volume = stubbed(folder), phantom()
    system.locate(volume, [ORGAN])
    runs = len(system.runners["locate"].batches)
    system.segment(volume, Region.click(ORGAN, volume.geometry.index_to_lps(middle(14))))
    assert len(system.runners["locate"].batches) == runs
    system.locate(phantom(), [ORGAN])
    assert len(system.runners["locate"].batches) == 2 * runs


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("networks.locate.architecture", "unet", "'locate' must be a centernet"),
        ("networks.segment.architecture", "sanet", "'segment' must be a unet"),
        ("networks.segment.arguments.dims", 3, "'segment' must take slices"),
        ("networks.chunk.arguments.dims", 2, "'chunk' must take chunks of slices"),
        ("networks.locate.outputs", ["Esophagus", "Heart"], "no output for the organ 'SpinalCord'"),
        ("networks.locate.arguments.outputs", 3, "must take one image and have the outputs"),
        ("organs.0.output", 2, "has fewer outputs"),
        ("organs.0.mirror", True, "does not mirror"),
        ("organs.0.network", "locate", "is the locator"),
        ("organs.0.network", "other", "lacks the network 'other'"),
        ("organs.0.crop_mm", [48.0, 2000.0, 2000.0], None),
        ("parameters.average_mirror", True, "'average_mirror' is unknown"),
        ("parameters.gap_mm", -1, "'gap_mm' must be a number"),
        ("parameters.field_mm", 0, "at least 1 mm"),
        ("parameters.chunk_slices", 3.5, "whole number"),
        ("parameters.chunk_slices", 0, "whole number"),
    ],
)
def test_a_bundle_whose_parts_do_not_fit_is_refused(folder, tmp_path, place, value, message):
    bundle = changed(folder, tmp_path / "bundle", place, value)
    if message is None:
        create(load_model(bundle), Device("cpu", "CPU", half=False))
        return
    with pytest.raises(ModelRefused, match=message):
        create(load_model(bundle), Device("cpu", "CPU", half=False))


def test_a_self_test_of_other_weights_fails(folder):
    import torch

    made = SliceCentre(load_model(folder), Device("cpu", "CPU", half=False))
    made.self_test()
    with torch.no_grad():
        made.runners["segment"].network.head.bias.add_(0.05)
    with pytest.raises(ModelRefused, match="self-test of the network 'segment'"):
        made.self_test()

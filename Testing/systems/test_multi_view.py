"""``multi-view``: with random weights end to end, and with networks replaced by a threshold, so that every box and
voxel is known beforehand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.harness.view_bundle import ORGANS, WEIGHTS, write_view_bundle
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.grid import Grid
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Kind, Region, Source, Status
from TwoStageSegLib.review.signals import measure
from TwoStageSegLib.systems import create
from TwoStageSegLib.systems.multi_view import MultiView
from TwoStageSegLib.systems.views import VIEWS, fused, region_from_votes
from TwoStageSegLib.volume import Volume

from .test_localise_crop import SPACING_XYZ, Threshold, phantom
from .test_slice_centre import LEVEL, changed, dice

CPU = Device("cpu", "CPU", half=False)
ORGAN = "Larynx"
MIDDLE = (29.5, 25.5, 36.5)  # of the phantom's organ: slices 24..35, rows 20..31, columns 30..43


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_view_bundle(tmp_path_factory.mktemp("views") / "bundle")


class View:
    """Stands in for one of the 2D networks: what is bright is the first organ, rather than one of the two others; a
    blind one sees background."""

    def __init__(self, runner, blind: bool = False):
        self.spec, self.network, self.blind, self.batches = runner.spec, runner.network, blind, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        organ = np.where((batch > LEVEL) & (not self.blind), 6, -6).astype(np.float32)
        return np.concatenate((np.zeros_like(batch), organ, np.minimum(organ, 3), np.minimum(organ, 3)), 1)


def stubbed(folder: Path, blind: tuple[str, ...] = ()) -> MultiView:
    made = MultiView(load_model(folder), CPU)
    made.views = {role: View(runner, role in blind) for role, runner in made.views.items()}
    made.segmenters = {role: Threshold(r, LEVEL, (2.5, 3.0, 3.0)) for role, r in made.segmenters.items()}
    return made


def click(volume: Volume, organ: str = ORGAN) -> Region:
    return Region.click(organ, volume.geometry.index_to_lps(MIDDLE))


def test_a_random_bundle_runs_from_end_to_end(folder):
    pipeline = Pipeline(load_model(folder), "cpu")
    pipeline.system.self_test()
    volume = phantom()
    assert tuple(o.organ for o in pipeline.run(volume).organs) == tuple(ORGANS)
    clicked = pipeline.run(volume, regions={name: click(volume, name) for name in ORGANS})
    assert [o.region.source for o in clicked.organs] == [Source.CLICK] * 3
    assert clicked.located
    for found in clicked.located:
        assert found.mask.geometry == volume.geometry
        assert found.mask.full().sum() == found.mask.voxels.sum() > 0


def test_views_are_fused_as_the_network_that_learns_the_weights_does(folder):
    import torch

    from TwoStageSegLib.networks.seunet import ViewFusion

    system = MultiView(load_model(folder), CPU)
    image = np.random.default_rng(0).normal(size=(8, 16, 24)).astype(np.float32)
    views = []
    for role, axis in VIEWS.items():
        logits = system.views[role](np.ascontiguousarray(np.moveaxis(image, axis, 0))[:, None])
        views.append(np.moveaxis(logits.transpose(1, 0, 2, 3), 1, axis + 1))  # (outputs, z, y, x)
    fusion = ViewFusion(3, 4)
    with torch.no_grad():
        fusion.scores.copy_(torch.log(torch.tensor([WEIGHTS[role] for role in VIEWS])))
        expected = fusion(torch.from_numpy(np.stack(views)[None]))[0].softmax(0).numpy()
    got = fused(image, system.views, system.weights)
    assert np.allclose(got, expected, atol=1e-5)
    assert np.allclose(got.sum(0), 1, atol=1e-5)


def test_each_view_sees_its_own_slices(folder):
    """The coarse grid has 3 mm; the phantom's body is cut out with two voxels of air around."""
    system, volume = stubbed(folder), phantom()
    system.locate(volume, [ORGAN])
    shapes = {role: np.concatenate(view.batches).shape for role, view in system.views.items()}
    depth, _, height, width = shapes["axial"]
    assert shapes["coronal"] == (height, 1, depth, width)
    assert shapes["sagittal"] == (width, 1, depth, height)
    assert all(n % 8 == 0 for n in (depth, height, width))


def test_located_box_is_the_organ_plus_the_margin(folder):
    volume = phantom()
    region = stubbed(folder).locate(volume, [ORGAN])[ORGAN]
    assert (region.kind, region.source, region.status) == (Kind.BOX, Source.AUTO, Status.LOCATED)
    low, high = np.reshape(region.bounds_lps, (3, 2)).T
    corners = volume.geometry.index_to_lps([[23.5, 19.5, 29.5], [35.5, 31.5, 43.5]])
    assert np.abs(low - corners[0] + 6).max() <= 3.0
    assert np.abs(high - corners[1] - 6).max() <= 3.0


def test_nothing_there_is_not_located(folder):
    region = stubbed(folder).locate(phantom(organ=((0, 0), (0, 0), (0, 0))), [ORGAN])[ORGAN]
    assert region.status == Status.NOT_LOCATED and not region.usable
    air = Volume(np.full((20, 20, 20), -1000, np.int16), Geometry((20, 20, 20), (0, 0, 0), SPACING_XYZ))
    assert stubbed(folder).locate(air, [ORGAN])[ORGAN].status == Status.NOT_LOCATED


def test_the_view_that_an_organ_trusts_decides(folder, tmp_path):
    """Only the axial network sees anything. Alone it locates; as one of three it is outvoted."""
    weights = {"axial": [1 / 3, 1, 0, 1 / 3], "coronal": [1 / 3, 0, 1, 1 / 3], "sagittal": [1 / 3, 0, 0, 1 / 3]}
    system = stubbed(changed(folder, tmp_path / "b", "parameters.view_weights", weights), ("coronal", "sagittal"))
    found = system.locate(phantom(), ORGANS)
    assert [found[name].usable for name in ORGANS] == [True, False, False]


def test_the_best_component_by_hand(folder):
    """Sum over the root of the box: 57.6 / 8 = 7.2 for the cube, 81 / 13.4 = 6.0 for the faint bar."""
    organ = replace(MultiView(load_model(folder), CPU).manifest.organ(ORGAN), margin_mm=[0.0] * 6)
    map_ = np.zeros((24, 24, 24), np.float32)
    map_[2:6, 3:7, 4:8] = 0.9
    map_[12:15, 12:15, 2:22] = 0.45
    grid, geometry = Grid((0, 0, 0), (1, 1, 1), (24, 24, 24)), Geometry((24, 24, 24), (0, 0, 0), (1.0, 1.0, 1.0))
    region = region_from_votes(map_, grid, organ, geometry)
    assert region.bounds_lps == pytest.approx((3.5, 7.5, 2.5, 6.5, 1.5, 5.5))
    assert region.score == pytest.approx(0.9 * 57.6 / (57.6 + 81))
    assert region.status == Status.LOW_CONFIDENCE
    map_[12:15, 12:15, 2:22] = 0.29
    assert region_from_votes(map_, grid, organ, geometry).score == pytest.approx(0.9)


def test_a_faint_streak_on_the_organ_does_not_make_its_box_long(folder):
    """With it 54.7 / 15.0 = 3.7, without it 51.2 / 8 = 6.4: the threshold above 0.35 wins."""
    organ = replace(MultiView(load_model(folder), CPU).manifest.organ(ORGAN), margin_mm=[0.0] * 6)
    map_ = np.zeros((24, 24, 24), np.float32)
    map_[2:6, 3:7, 4:8] = 0.8
    map_[3, 4, 8:18] = 0.35
    grid, geometry = Grid((0, 0, 0), (1, 1, 1), (24, 24, 24)), Geometry((24, 24, 24), (0, 0, 0), (1.0, 1.0, 1.0))
    region = region_from_votes(map_, grid, organ, geometry)
    assert region.bounds_lps == pytest.approx((3.5, 7.5, 2.5, 6.5, 1.5, 5.5))
    assert region.score == pytest.approx(0.8)


def test_the_mask_is_the_organ_by_box_and_by_click(folder):
    system, volume = stubbed(folder), phantom()
    automatic = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN])
    assert dice(automatic.full(), volume.voxels == 700) > 0.95
    clicked = system.segment(volume, click(volume))
    assert np.array_equal(clicked.full(), volume.voxels == 700)  # the crop lies on the scan's own voxels
    assert not clicked.touches_edge


def test_a_drawn_box_bounds_the_mask(folder):
    system, volume = stubbed(folder), phantom()
    low, high = volume.geometry.index_to_lps((23.5, 19.5, 29.5)), volume.geometry.index_to_lps((29.5, 31.5, 43.5))
    full = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel())).full()
    assert np.array_equal(np.flatnonzero(full.any((1, 2))), range(24, 31))  # 3 mm of slack


def test_left_organs_are_mirrored_into_the_network_of_the_right(folder):
    system, volume = stubbed(folder), phantom()
    volume.voxels[24:36, 20:32, 30:34] = 40  # no longer the same seen from the other side
    for name in ("Parotid_R", "Parotid_L"):
        assert np.array_equal(system.segment(volume, click(volume, name)).full(), volume.voxels == 700)
    right, left = system.segmenters["parotid"].batches
    assert np.array_equal(left, right[..., ::-1])
    assert system.segmenters["larynx"].batches == []


def test_the_orientation_on_disk_does_not_matter(folder):
    system, volume = stubbed(folder), phantom()
    full = system.segment(volume, system.locate(volume, [ORGAN])[ORGAN]).full()
    shape = volume.geometry.shape_zyx
    origin = tuple(float(v) for v in volume.geometry.index_to_lps((shape[0] - 1, 0, shape[2] - 1)))
    direction = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    turned = Volume(volume.voxels[::-1, :, ::-1], Geometry(shape, origin, SPACING_XYZ, direction), "CT")
    other = stubbed(folder)
    found = other.segment(turned, other.locate(turned, [ORGAN])[ORGAN]).full()
    assert np.array_equal(found[::-1, :, ::-1], full)


def test_evidence_is_what_the_mask_rests_on(folder):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    mask = system.segment(volume, region)
    quick = system.evidence(volume, region, again=False)
    assert len(system.segmenters["larynx"].batches) == 1
    assert quick.score == region.score and quick.again is None
    z, y, x = quick.start_zyx
    shape = quick.probability.shape
    part = mask.full()[z : z + shape[0], y : y + shape[1], x : x + shape[2]]
    assert np.array_equal(quick.probability > quick.threshold, part)
    second = system.evidence(volume, region, again=True).again
    assert second.shape == shape and dice(np.nan_to_num(second) > 0.5, part) > 0.9
    signals = measure(mask, system.evidence(volume, region, again=True), volume, 700.0, 0.0).values
    assert all(np.isfinite(profile).all() for profile in signals.values()) and "disagreement" in signals


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("networks.axial.architecture", "unet", "'axial' must be a seunet of 2"),
        ("networks.coronal.arguments.dims", 3, "'coronal' must be a seunet of 2"),
        ("networks.larynx.arguments.dims", 2, "'larynx' must be a seunet of 3"),
        ("networks.sagittal.spacing_mm", [3.0, 3.0, 2.0], "the same outputs and spacing_mm"),
        ("networks.sagittal.arguments.outputs", 3, "have the outputs that it names"),
        ("networks.parotid.arguments.inputs", 2, "must take one image"),
        ("organs.0.name", "Heart", "no output for the organ 'Heart'"),
        ("organs.0.name", "background", "no output for the organ 'background'"),
        ("organs.0.network", "axial", "one of the views"),
        ("organs.0.network", "other", "lacks the network 'other'"),
        ("organs.0.output", 1, "Larynx.output is 1"),
        ("organs.0.crop_mm", [2000.0] * 3, "implausibly many voxels"),
        ("parameters.field_mm", 1, "'field_mm' is unknown"),
        ("parameters.view_weights.axial", [1.0, 1.0, 1.0], "must have 4 numbers"),
        ("parameters.view_weights.axial", [0.5, 0.6, 0.2, 0.3], "1 in sum"),
        ("parameters.view_weights.axial", [0.5, 0.6, 0.2, "0.2"], "numbers from 0 to 1"),
        ("parameters.view_weights", 1, "for each of axial, coronal, sagittal"),
        ("parameters", {"average_mirror": True, "recentre_mm": 8.0}, None),
    ],
)
def test_a_bundle_whose_parts_do_not_fit_is_refused(folder, tmp_path, place, value, message):
    bundle = changed(folder, tmp_path / "bundle", place, value)
    if message is None:
        assert np.allclose(create(load_model(bundle), CPU).weights, 1 / 3)
        return
    with pytest.raises(ModelRefused, match=message):
        create(load_model(bundle), CPU)


def test_implausibly_fine_views_are_refused(folder, tmp_path):
    values = json.loads((folder / "manifest.json").read_text())["networks"]
    for role in VIEWS:
        values[role]["spacing_mm"] = [0.5, 0.5, 0.5]
    with pytest.raises(ModelRefused, match="implausibly many voxels"):
        create(load_model(changed(folder, tmp_path / "bundle", "networks", values)), CPU)


def test_a_self_test_of_other_weights_fails(folder):
    import torch

    made = MultiView(load_model(folder), CPU)
    with torch.no_grad():
        made.views["coronal"].network.head.bias.add_(0.05)
    with pytest.raises(ModelRefused, match="self-test of the network 'coronal'"):
        made.self_test()

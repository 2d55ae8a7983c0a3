"""``focus``: with random weights end to end, and with networks replaced by thresholds, so that every box and voxel is
known beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from Testing.harness.focus_bundle import ORGANS, WIDTH, write_focus_bundle
from TwoStageSegLib.device import Device
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Kind, Region, Source, Status
from TwoStageSegLib.systems import focus_scan
from TwoStageSegLib.systems.focus import Focus
from TwoStageSegLib.volume import Volume

from .test_localise_crop import SPACING_XYZ
from .test_slice_centre import LEVEL, changed, dice

CPU = Device("cpu", "CPU", half=False)
LARGE, SMALL, UNSEEN = ORGANS
BLOCK = np.s_[24:36, 20:32, 30:44]  # 500 HU: the large organ
CUBE = np.s_[44:51, 36:42, 14:20]  # 690 HU: the small one, 17.5 x 18 x 18 mm
IN_BLOCK, IN_CUBE = (29.5, 25.5, 36.5), (47.0, 38.5, 16.5)
BRIGHT = 3.6  # above what the block is in this bundle's scale, below the cube


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_focus_bundle(tmp_path_factory.mktemp("focus") / "bundle")


class Stub:
    """Stands in for a network and remembers what it was given."""

    def __init__(self, runner):
        self.spec, self.network, self.batches = runner.spec, runner.network, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        return self.answer(batch).astype(np.float32)


class Main(Stub):
    """S-Net: what is dense is the large organ; the features are how much brighter than that a voxel is, those of the
    first level twice as much."""

    def answer(self, batch):
        organ, bright = np.where(batch > LEVEL, 6, -6), np.maximum(batch - BRIGHT, 0)
        return np.concatenate((np.zeros_like(batch), organ, *[bright] * WIDTH, *[2 * bright] * WIDTH), 1)


class Peak(Stub):
    """SOL-Net: the first organ is in the middle of what is bright, the second nowhere."""

    def answer(self, batch):
        first = 8 * ndimage.gaussian_filter(batch[:, :1], (0, 0, 1.5, 1.5, 1.5)) - 3
        return np.concatenate((first, np.full_like(first, -3)), 1)


class Dense(Stub):
    """SOS-Net: what is dense in the scan."""

    def answer(self, batch):
        return np.where(batch[:, -2:-1] > LEVEL if batch.shape[1] > 1 else batch > LEVEL, 8, -8)


def stubbed(folder: Path) -> Focus:
    made = Focus(load_model(folder), CPU)
    made.looker = replace(made.looker, snet=Main(made.looker.snet), sol=Peak(made.looker.sol))
    made.segmenters = {role: Dense(runner) for role, runner in made.segmenters.items()}
    return made


def phantom(width: int = 60) -> Volume:
    voxels = np.full((60, 60, width), -1000, np.int16)
    voxels[2:-2, 8:-8, 6:-6] = 40
    voxels[BLOCK], voxels[CUBE] = 500, 690
    return Volume(voxels, Geometry(voxels.shape, (10.0, -20.0, 30.0), SPACING_XYZ), "CT")


def click(volume: Volume, organ: str, index) -> Region:
    return Region.click(organ, volume.geometry.index_to_lps(index))


def test_a_random_bundle_runs_from_end_to_end(folder):
    pipeline = Pipeline(load_model(folder), "cpu")
    pipeline.system.self_test()
    volume = phantom()
    assert tuple(o.organ for o in pipeline.run(volume).organs) == tuple(ORGANS)
    clicked = pipeline.run(volume, regions={name: click(volume, name, IN_CUBE) for name in ORGANS})
    assert [o.region.source for o in clicked.organs] == [Source.CLICK] * 3
    assert clicked.located
    for found in clicked.located:
        assert found.mask.geometry == volume.geometry
        assert found.mask.full().sum() == found.mask.voxels.sum() > 0


def test_both_kinds_of_organs_are_located_and_one_is_not(folder):
    volume = phantom()
    found = stubbed(folder).locate(volume, ORGANS)
    assert {(found[name].kind, found[name].source) for name in ORGANS} == {(Kind.BOX, Source.AUTO)}
    assert [found[name].status for name in ORGANS] == [Status.LOCATED, Status.LOCATED, Status.NOT_LOCATED]
    low, high = np.reshape(found[LARGE].bounds_lps, (3, 2)).T
    corners = volume.geometry.index_to_lps([[23.5, 19.5, 29.5], [35.5, 31.5, 43.5]])
    assert np.abs(low - corners[0] + 6).max() <= 3.0
    assert np.abs(high - corners[1] - 6).max() <= 3.0
    small = found[SMALL]
    assert np.abs(np.subtract(small.centre_lps, volume.geometry.index_to_lps(IN_CUBE))).max() <= 3.0
    assert small.size_mm == pytest.approx((15, 15, 15))  # a voxel of 3 mm, with margins of 6
    assert found[UNSEEN].score == pytest.approx(1 / (1 + np.exp(3)))
    assert not found[UNSEEN].usable


def test_a_faint_peak_is_of_low_confidence_or_not_located(folder, tmp_path):
    low = stubbed(changed(folder, tmp_path / "low", "organs.1.low_score", 1.0))
    assert low.locate(phantom(), [SMALL])[SMALL].status == Status.LOW_CONFIDENCE
    high = changed(tmp_path / "low", tmp_path / "high", "organs.1.located_score", 1.0)
    assert stubbed(high).locate(phantom(), [SMALL])[SMALL].status == Status.NOT_LOCATED


def test_air_is_not_located_and_a_click_into_it_finds_nothing(folder):
    volume = Volume(np.full((20, 20, 20), -1000, np.int16), Geometry((20, 20, 20), (0, 0, 0), SPACING_XYZ))
    system = stubbed(folder)
    assert {r.status for r in system.locate(volume, ORGANS).values()} == {Status.NOT_LOCATED}
    assert all(system.segment(volume, click(volume, name, (9, 9, 9))).empty for name in ORGANS)


@pytest.mark.parametrize(("organ", "part", "index"), [(LARGE, BLOCK, IN_BLOCK), (SMALL, CUBE, IN_CUBE)])
def test_the_mask_is_the_organ_by_itself_and_by_click(folder, organ, part, index):
    system, volume = stubbed(folder), phantom()
    expected = np.zeros(volume.voxels.shape, bool)
    expected[part] = True
    automatic = system.segment(volume, system.locate(volume, ORGANS)[organ])
    clicked = system.segment(volume, click(volume, organ, index))
    for mask in (automatic, clicked):
        assert dice(mask.full(), expected) > 0.9
        assert not mask.touches_edge


def test_a_click_finds_what_was_not_located(folder):
    system, volume = stubbed(folder), phantom()
    expected = np.zeros(volume.voxels.shape, bool)
    expected[CUBE] = True
    assert dice(system.segment(volume, click(volume, UNSEEN, IN_CUBE)).full(), expected) > 0.9


@pytest.mark.parametrize(("organ", "part"), [(LARGE, BLOCK), (SMALL, CUBE)])
def test_a_drawn_box_bounds_the_mask(folder, organ, part):
    """Drawn around the lower half; the mask may go on for 3 mm, one slice."""
    system, volume = stubbed(folder), phantom()
    first, half = part[0].start, (part[0].start + part[0].stop) // 2
    low = volume.geometry.index_to_lps((first - 0.5, part[1].start - 0.5, part[2].start - 0.5))
    high = volume.geometry.index_to_lps((half - 0.5, part[1].stop - 0.5, part[2].stop - 0.5))
    full = system.segment(volume, Region.box(organ, np.stack([low, high]).T.ravel())).full()
    slices = np.flatnonzero(full.any((1, 2)))
    assert abs(slices[0] - first) <= 1 and slices[-1] == half


def test_a_moved_region_runs_its_small_network_alone(folder):
    system, volume = stubbed(folder), phantom()
    system.locate(volume, ORGANS)
    seen = len(system.looker.snet.batches)
    assert seen == len(system.looker.sol.batches) == 4  # 50 slices of 3 mm: chunks of 24 from 0, 12, 24, 26 on
    system.segment(volume, click(volume, SMALL, IN_CUBE))
    system.segment(volume, click(volume, SMALL, (47, 37, 17)))
    system.segment(volume, click(volume, LARGE, IN_BLOCK))
    assert len(system.looker.snet.batches) == len(system.looker.sol.batches) == seen
    assert [len(s.batches) for s in system.segmenters.values()] == [2, 0]
    other = phantom()
    system.segment(other, click(other, SMALL, IN_CUBE))
    assert len(system.looker.snet.batches) == 2 * seen
    assert {scan.volume for scan in system._scans.values()} == {other}


def test_what_a_small_network_gets(folder):
    """Decoder features, first level, scan, heatmap: SOL-Net's, or a Gaussian of 5 mm where a person has clicked."""
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, ORGANS)[SMALL]
    system.segment(volume, region)
    system.segment(volume, replace(region, source=Source.CLICK, kind=Kind.CENTRE, size_mm=None))
    system.segment(volume, click(volume, UNSEEN, IN_CUBE))
    automatic, clicked = system.segmenters["chiasm"].batches
    assert automatic.shape == clicked.shape == (1, 2 * WIDTH + 2, 12, 12, 12)
    assert np.array_equal(automatic[:, :-1], clicked[:, :-1])
    image, heat = automatic[0, -2], automatic[0, -1]
    assert np.allclose(automatic[0, :WIDTH], np.maximum(image - BRIGHT, 0), atol=1e-3)  # kept in half precision
    assert np.allclose(automatic[0, WIDTH:-2], 2 * np.maximum(image - BRIGHT, 0), atol=2e-3)
    assert np.unravel_index(heat.argmax(), heat.shape) == (6, 6, 6)
    assert heat.max() == pytest.approx(region.score)
    drawn = clicked[0, -1]
    assert drawn[6, 6, 6] == pytest.approx(1, abs=1e-4)
    assert drawn[6, 6, 8] == pytest.approx(np.exp(-(6**2) / (2 * 5**2)), abs=1e-4)
    assert [b.shape for b in system.segmenters["lens"].batches] == [(1, 1, 12, 12, 12)]


def test_beyond_what_was_seen_one_chunk_around_the_click_is_looked_at(folder):
    """The body is 324 mm wide, the field 144 mm: the cube lies outside."""
    system, volume = stubbed(folder), phantom(120)
    expected = np.zeros(volume.voxels.shape, bool)
    expected[CUBE] = True
    assert system.locate(volume, [SMALL])[SMALL].status == Status.NOT_LOCATED
    seen = len(system.looker.snet.batches)
    mask = system.segment(volume, click(volume, SMALL, IN_CUBE))
    assert dice(mask.full(), expected) > 0.9
    assert len(system.looker.snet.batches) == seen + 1


def test_features_that_would_not_fit_are_computed_again_where_they_are_needed(folder, monkeypatch):
    volume = phantom()
    system = stubbed(folder)
    usual = system.segment(volume, system.locate(volume, ORGANS)[SMALL]).full()
    monkeypatch.setattr(focus_scan, "MAX_KEPT_BYTES", 2 * 2 * WIDTH * 24 * 48 * 48)  # one chunk's
    system = stubbed(folder)
    region = system.locate(volume, ORGANS)[SMALL]
    seen = len(system.looker.snet.batches)
    assert np.array_equal(system.segment(volume, region).full(), usual)
    assert np.array_equal(system.segment(volume, region).full(), usual)
    assert len(system.looker.snet.batches) == seen + 1
    system.segment(volume, click(volume, UNSEEN, IN_CUBE))  # by the scan alone
    assert len(system.looker.snet.batches) == seen + 1


def test_the_orientation_on_disk_does_not_matter(folder):
    system, volume = stubbed(folder), phantom()
    regions = system.locate(volume, ORGANS)
    shape = volume.geometry.shape_zyx
    origin = tuple(float(v) for v in volume.geometry.index_to_lps((shape[0] - 1, 0, shape[2] - 1)))
    direction = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    turned = Volume(volume.voxels[::-1, :, ::-1], Geometry(shape, origin, SPACING_XYZ, direction), "CT")
    other = stubbed(folder)
    found = other.locate(turned, ORGANS)
    for name in (LARGE, SMALL):
        full = system.segment(volume, regions[name]).full()
        assert full.any() and np.array_equal(other.segment(turned, found[name]).full()[::-1, :, ::-1], full)


@pytest.mark.parametrize("organ", [LARGE, SMALL])
def test_evidence_is_what_the_mask_rests_on(folder, organ):
    system, volume = stubbed(folder), phantom()
    region = system.locate(volume, ORGANS)[organ]
    mask = system.segment(volume, region)
    quick = system.evidence(volume, region, again=False)
    assert quick.score == region.score and quick.again is None
    z, y, x = quick.start_zyx
    shape = quick.probability.shape
    part = mask.full()[z : z + shape[0], y : y + shape[1], x : x + shape[2]]
    assert part.sum() == mask.voxels.sum()
    assert np.array_equal(quick.probability > quick.threshold, part)
    runs = len(system.looker.snet.batches), len(system.segmenters["chiasm"].batches)
    second = system.evidence(volume, region, again=True).again
    assert second.shape == shape and dice(np.nan_to_num(second) > 0.5, part) > 0.75
    after = len(system.looker.snet.batches), len(system.segmenters["chiasm"].batches)
    assert np.subtract(after, runs).tolist() == ([4, 0] if organ == LARGE else [0, 1])
    assert np.isnan(second).any() == (organ == SMALL)  # S-Net's field is moved, a small organ's crop as well
    system.evidence(volume, region, again=True)
    assert len(system.looker.snet.batches) == after[0]  # the second look is kept

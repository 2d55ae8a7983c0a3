"""``localise-crop`` with networks replaced by a threshold, so that every box and voxel is known beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import ModelRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.manifest import Manifest
from TwoStageSegLib.model import load_model
from TwoStageSegLib.region import Region, Source, Status
from TwoStageSegLib.sample.phantom import generate
from TwoStageSegLib.systems.crop_stage import averaged
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.systems.preprocess import Preprocess
from TwoStageSegLib.volume import Volume

SPACING_XYZ = (3.0, 3.0, 2.5)
ORGAN = "Larynx"  # not paired, not mirrored in the phantom bundle


class Threshold:
    """Stands in for a network: an organ is where the normalised image is above ``level``, in every channel."""

    def __init__(self, runner, level: float, spacing) -> None:
        self.spec = replace(runner.spec, spacing_mm=list(spacing))
        self.network, self.level, self.batches = runner.network, level, []

    def __call__(self, batch: np.ndarray, exact: bool = False) -> np.ndarray:
        self.batches.append(batch)
        return np.repeat(np.where(batch > self.level, 8.0, -8.0).astype(np.float32), len(self.spec.outputs), axis=1)


@pytest.fixture
def system(tiny_bundle: Path) -> LocaliseCrop:
    made = LocaliseCrop(load_model(tiny_bundle), Device("cpu", "CPU", half=False))
    made.locator = Threshold(made.locator, 3.0, (6.0, 6.0, 6.0))  # above 450 HU with this bundle's scale
    made.segmenters["segment"] = Threshold(made.segmenters["segment"], 3.0, (2.5, 3.0, 3.0))
    return made


def phantom(shape=(60, 60, 60), organ=((24, 36), (20, 32), (30, 44))) -> Volume:
    voxels = np.full(shape, -1000, np.int16)
    voxels[2:-2, 8:-8, 6:-6] = 40
    voxels[tuple(slice(a, b) for a, b in organ)] = 700
    return Volume(voxels, Geometry(shape, (10.0, -20.0, 30.0), SPACING_XYZ), "CT")


def test_located_box_is_the_organ_plus_the_margin(system: LocaliseCrop) -> None:
    volume = phantom()
    region = system.locate(volume, [ORGAN])[ORGAN]
    assert region.status == Status.LOCATED
    assert region.source == Source.AUTO
    margin = np.reshape(system.manifest.organ(ORGAN).margin_mm, (3, 2))
    low = np.array([10 + 29.5 * 3, -20 + 19.5 * 3, 30 + 23.5 * 2.5]) - margin[:, 0]
    high = np.array([10 + 43.5 * 3, -20 + 31.5 * 3, 30 + 35.5 * 2.5]) + margin[:, 1]
    found = np.reshape(region.bounds_lps, (3, 2))
    # the coarse grid rounds to 6 mm: each face within one coarse voxel
    assert np.abs(found[:, 0] - low).max() <= 6.0
    assert np.abs(found[:, 1] - high).max() <= 6.0


def test_nothing_there_is_not_located(system: LocaliseCrop) -> None:
    volume = phantom(organ=((0, 0), (0, 0), (0, 0)))
    region = system.locate(volume, [ORGAN])[ORGAN]
    assert region.status == Status.NOT_LOCATED
    assert not region.usable


def test_air_is_not_located(system: LocaliseCrop) -> None:
    volume = Volume(np.full((20, 20, 20), -1000, np.int16), Geometry((20, 20, 20), (0, 0, 0), SPACING_XYZ))
    assert system.locate(volume, [ORGAN])[ORGAN].status == Status.NOT_LOCATED


def test_two_candidates_are_less_sure_than_one(system: LocaliseCrop) -> None:
    one = system.locate(phantom(), [ORGAN])[ORGAN]
    volume = phantom()
    volume.voxels[40:50, 36:48, 10:22] = 700
    system.manifest.organ(ORGAN)
    two = system.locate(volume, [ORGAN])[ORGAN]
    assert two.score < 0.75 * one.score


def test_mask_is_exact_when_the_crop_grid_is_the_scans(system: LocaliseCrop) -> None:
    volume = phantom()
    centre = volume.geometry.index_to_lps((29.5, 25.5, 36.5))
    mask = system.segment(volume, Region.click(ORGAN, centre))
    expected = volume.voxels == 700
    assert np.array_equal(mask.full(), expected)
    assert not mask.touches_edge


def test_click_far_off_still_gives_what_the_crop_holds(system: LocaliseCrop) -> None:
    volume = phantom()
    mask = system.segment(volume, Region.click(ORGAN, volume.geometry.index_to_lps((29.5, 25.5, 58.0))))
    full = mask.full()
    assert not (full & (volume.voxels != 700)).any()


def test_drawn_box_bounds_the_mask(system: LocaliseCrop) -> None:
    volume = phantom()
    low, high = volume.geometry.index_to_lps((23.5, 19.5, 29.5)), volume.geometry.index_to_lps((29.5, 31.5, 43.5))
    box = Region.box(ORGAN, np.stack([low, high]).T.ravel())
    z_used = np.flatnonzero(system.segment(volume, box).full().any((1, 2)))
    slack = system.box_slack_mm
    assert z_used.min() == 24
    assert z_used.max() == 23 + 6 + int(slack / 2.5)


def test_a_box_drawn_far_beyond_the_scan_still_finds_what_it_holds(system: LocaliseCrop) -> None:
    """Two metres to the left: the middle of the box is outside the scan, the organ is inside the box."""
    volume = phantom()
    low, high = volume.geometry.index_to_lps((23.5, 19.5, 29.5)), volume.geometry.index_to_lps((35.5, 31.5, 700.0))
    mask = system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel()))
    assert np.array_equal(mask.full(), volume.voxels == 700)


def test_left_organ_is_mirrored_into_the_network(system: LocaliseCrop) -> None:
    volume = phantom()
    region = Region.click("Parotid_L", volume.geometry.index_to_lps((29.5, 25.5, 40.0)))
    mask = system.segment(volume, region)
    seen = system.segmenters["segment"].batches[-1][0, 0]
    plain_region = replace(region, organ="Parotid_R")
    system.segment(volume, plain_region)
    assert np.array_equal(seen[:, :, ::-1], system.segmenters["segment"].batches[-1][0, 0])
    assert np.array_equal(mask.full(), volume.voxels == 700)


def test_mask_at_the_crops_edge_says_so(system: LocaliseCrop) -> None:
    volume = phantom((80, 90, 90), ((5, 75), (30, 60), (30, 60)))
    mask = system.segment(volume, Region.click(ORGAN, volume.geometry.index_to_lps((40, 45, 45))))
    assert mask.touches_edge


def test_real_bundle_passes_its_self_test(tiny_bundle: Path) -> None:
    LocaliseCrop(load_model(tiny_bundle), Device("cpu", "CPU", half=False)).self_test()


def test_self_test_notices_other_weights(tiny_bundle: Path) -> None:
    import torch

    made = LocaliseCrop(load_model(tiny_bundle), Device("cpu", "CPU", half=False))
    with torch.no_grad():
        made.segmenters["segment"].network.head.bias.add_(
            0.05
        )  # not the first weights: the normalisation undoes a factor on those
    with pytest.raises(ModelRefused, match="self-test"):
        made.self_test()


def test_a_click_beside_the_organ_is_corrected_once(system: LocaliseCrop) -> None:
    """The crop (96 mm) around a click 47 mm off holds the organ's edge; the second crop lies around what was found."""
    volume = phantom()
    region = Region.click(ORGAN, volume.geometry.index_to_lps((29.5, 25.5, 52.0)))
    system.recentre_mm = 0.0
    edge_only = system.segment(volume, region).full()
    system.segmenters["segment"].batches.clear()
    system.recentre_mm = 8.0
    whole = system.segment(volume, region).full()
    assert len(system.segmenters["segment"].batches) == 2
    assert 0 < edge_only.sum() < whole.sum()
    assert not (edge_only & ~whole).any()


def test_a_click_on_the_organ_runs_the_network_once(system: LocaliseCrop) -> None:
    system.recentre_mm = 8.0
    volume = phantom()
    near = volume.geometry.index_to_lps((29.5, 25.5, 38.0))  # 1.5 voxels or 4.5 mm off
    system.segment(volume, Region.click(ORGAN, near))
    assert len(system.segmenters["segment"].batches) == 1


def test_a_drawn_box_is_not_moved(system: LocaliseCrop) -> None:
    system.recentre_mm = 8.0
    volume = phantom()
    low, high = volume.geometry.index_to_lps((10, 10, 36)), volume.geometry.index_to_lps((50, 50, 58))
    system.segment(volume, Region.box(ORGAN, np.stack([low, high]).T.ravel()))
    assert len(system.segmenters["segment"].batches) == 1


def test_a_midline_organ_is_averaged_with_its_mirror_image_and_a_paired_one_is_not(system: LocaliseCrop) -> None:
    system.averaged = averaged(_with_mirror(system.manifest, True))
    volume = phantom()
    centre = volume.geometry.index_to_lps((29.5, 25.5, 36.5))
    mask = system.segment(volume, Region.click(ORGAN, centre))
    image, mirrored = system.segmenters["segment"].batches[-1][:, 0]
    assert np.array_equal(image[:, :, ::-1], mirrored)
    assert np.array_equal(mask.full(), volume.voxels == 700)
    for organ in ("Parotid_R", "Parotid_L"):
        system.segment(volume, Region.click(organ, centre))
        assert len(system.segmenters["segment"].batches[-1]) == 1


def _with_mirror(manifest: Manifest, value: object) -> Manifest:
    return replace(manifest, parameters={**manifest.parameters, "average_mirror": value})


def test_which_organs_are_averaged(system: LocaliseCrop) -> None:
    assert averaged(_with_mirror(system.manifest, False)) == set()
    assert averaged(_with_mirror(system.manifest, True)) == set(system.manifest.organ_names) - {
        "Parotid_L",
        "Parotid_R",
    }
    assert averaged(_with_mirror(system.manifest, [])) == set()
    assert averaged(_with_mirror(system.manifest, [ORGAN, "Parotid_L"])) == {ORGAN}


def test_a_crop_beside_the_scan_holds_nothing(system: LocaliseCrop) -> None:
    mask = system.segment(phantom(), Region.click(ORGAN, (900.0, 900.0, 900.0)))
    assert mask.empty


def test_each_organ_goes_to_its_own_network(system: LocaliseCrop) -> None:
    other = Threshold(system.segmenters["segment"], 3.0, (2.5, 3.0, 3.0))
    system.segmenters["other"] = other
    organs = [replace(o, network="other" if o.name == ORGAN else "segment") for o in system.manifest.organs]
    system.manifest = replace(system.manifest, organs=organs)
    volume = phantom()
    centre = volume.geometry.index_to_lps((29.5, 25.5, 36.5))
    assert np.array_equal(system.segment(volume, Region.click(ORGAN, centre)).full(), volume.voxels == 700)
    assert len(other.batches) == 1
    system.segment(volume, Region.click("Parotid_R", centre))
    assert len(other.batches) == 1


def test_of_a_fine_scan_few_voxels_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.5 mm, noisy: boxes from every second voxel along each axis are those from all of them, to one coarse voxel."""
    coarse = generate(3, (3.0, 3.0, 3.0), (100, 140, 140)).volume
    voxels = coarse.voxels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    voxels += np.random.default_rng(0).normal(0, 30, voxels.shape).astype(np.int16)
    fine = Volume(voxels, Geometry(voxels.shape, coarse.geometry.origin_lps, (1.5, 1.5, 1.5)), "CT")
    system = LocaliseCrop(load_model("phantom"), Device("cpu", "CPU", half=False))
    organs = system.manifest.organ_names
    thinned = system.locate(fine, organs)
    whole = Preprocess.sampled
    monkeypatch.setattr(Preprocess, "sampled", lambda self, volume, grid, thinned: whole(self, volume, grid))
    every = system.locate(fine, organs)
    assert all(region.usable for region in every.values())
    step = max(system.locator.spec.spacing_mm)
    for name in organs:
        assert np.abs(np.subtract(thinned[name].bounds_lps, every[name].bounds_lps)).max() <= step + 1e-6
    assert any(thinned[name].score != every[name].score for name in organs)  # other voxels were read

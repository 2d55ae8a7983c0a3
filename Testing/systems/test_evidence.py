"""What ``localise-crop`` keeps for the review, and the second look at a moved crop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.device import Device
from TwoStageSegLib.model import load_model
from TwoStageSegLib.region import Region
from TwoStageSegLib.systems.localise_crop import MOVED_MM, LocaliseCrop
from TwoStageSegLib.volume import Volume

from .test_localise_crop import ORGAN, Threshold, phantom


@pytest.fixture
def system(tiny_bundle: Path) -> LocaliseCrop:
    made = LocaliseCrop(load_model(tiny_bundle), Device("cpu", "CPU", half=False))
    made.locator = Threshold(made.locator, 3.0, (6.0, 6.0, 6.0))
    made.segmenters["segment"] = Threshold(made.segmenters["segment"], 3.0, (2.5, 3.0, 3.0))
    return made


def click(volume: Volume) -> Region:
    return Region.click(ORGAN, volume.geometry.index_to_lps((29.5, 25.5, 36.5)))


def test_evidence_is_what_the_mask_was_cut_from(system: LocaliseCrop) -> None:
    volume = phantom()
    region = click(volume)
    mask = system.segment(volume, region)
    batches = system.segmenters["segment"].batches
    before = len(batches)
    found = system.evidence(volume, region, again=False)
    assert len(batches) == before  # nothing ran again
    assert found.again is None
    assert found.score is None  # a person placed it
    full = np.zeros(volume.voxels.shape, bool)
    box = tuple(slice(s, s + n) for s, n in zip(found.start_zyx, found.probability.shape, strict=True))
    full[box] = found.probability > found.threshold
    assert np.array_equal(full, mask.full())


def test_another_region_or_volume_is_segmented_first(system: LocaliseCrop) -> None:
    volume = phantom()
    region = click(volume)
    system.segment(volume, region)
    batches = system.segmenters["segment"].batches
    before = len(batches)
    moved = Region.click(ORGAN, volume.geometry.index_to_lps((30.5, 25.5, 36.5)))
    system.evidence(volume, moved, again=False)
    assert len(batches) > before
    before = len(batches)
    system.evidence(phantom(), moved, again=False)
    assert len(batches) > before


def test_the_second_look_is_one_smaller_crop_moved_by_a_few_mm(system: LocaliseCrop) -> None:
    volume = phantom()
    region = click(volume)
    system.segment(volume, region)
    batches = system.segmenters["segment"].batches
    first, before = batches[-1], len(batches)
    found = system.evidence(volume, region, again=True)
    assert len(batches) == before + 1
    assert batches[-1].size < first.size
    assert found.again is not None
    assert found.again.shape == found.probability.shape
    # a network that looks at every voxel by itself gives the same answer wherever the crop lies, up to interpolation
    seen = np.isfinite(found.again)
    assert seen.any()
    assert not seen.all()  # it is tight
    assert np.abs((found.again > 0.5)[seen] ^ (found.probability > 0.5)[seen]).mean() < 0.05
    # around the organ: 6 mm less what it was moved by, 5 mm at most
    inside = np.argwhere(found.probability > 0.5)
    low, high = inside.min(0), inside.max(0)
    assert seen[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))].all()
    assert max(map(abs, MOVED_MM)) <= 5.0


def test_evidence_of_another_volume_is_let_go(system: LocaliseCrop) -> None:
    first, second = phantom(), phantom()
    system.segment(first, click(first))
    system.segment(second, click(second))
    assert {f.volume for f in system._found.values()} == {second}

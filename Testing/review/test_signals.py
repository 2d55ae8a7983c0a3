"""Signals of a block whose every figure can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.review.evidence import Evidence
from TwoStageSegLib.review.signals import SMALL_MM2, measure
from TwoStageSegLib.volume import Volume

SHAPE = (12, 20, 20)
SPACING_XYZ = (2.0, 2.0, 2.5)


@pytest.fixture
def volume() -> Volume:
    voxels = np.zeros(SHAPE, np.int16)
    voxels[:, 6:12, 5:15] = 30
    return Volume(voxels, Geometry(SHAPE, (0.0, 0.0, 0.0), SPACING_XYZ), "CT")


def block(volume: Volume, z0: int = 4, z1: int = 9) -> Mask:
    """Slices z0 to z1 - 1, each 6 x 10 voxels = 240 mm2."""
    voxels = np.zeros(SHAPE, bool)
    voxels[z0:z1, 6:12, 5:15] = True
    return Mask("Larynx", voxels, (0, 0, 0), volume.geometry)


def evidence(mask: Mask, inside: float = 1.0, outside: float = 0.0) -> Evidence:
    p = np.where(mask.full(), inside, outside).astype(np.float32)
    return Evidence((0, 0, 0), p, 0.5, 0.8)


def test_an_empty_mask_has_no_slices(volume: Volume) -> None:
    mask = block(volume, 4, 4)
    assert measure(mask, evidence(mask), volume, 0.0, 0.0) is None


def test_judged_slices_reach_two_beyond_the_organ(volume: Volume) -> None:
    mask = block(volume)
    found = measure(mask, evidence(mask), volume, 30.0, 0.0)
    assert found is not None
    assert found.index.tolist() == list(range(2, 11))  # 5 mm are two slices of 2.5 mm
    assert found.values["beyond"].tolist() == [1, 1, 0, 0, 0, 0, 0, 1, 1]
    assert found.area_mm2.tolist() == [0, 0, 240, 240, 240, 240, 240, 0, 0]


def test_a_network_that_is_sure_gives_no_softness(volume: Volume) -> None:
    mask = block(volume)
    found = measure(mask, evidence(mask), volume, 30.0, np.log(6.0))
    assert found is not None
    for name in ("softness", "indecision", "sideways", "pieces", "density"):
        assert found.values[name][2:7].tolist() == pytest.approx([0.0] * 5), name
    assert found.values["expected_error"][2:7].tolist() == pytest.approx([0.0] * 5)
    assert found.values["location"].tolist() == pytest.approx([0.2] * 9)
    assert found.volume_ml == pytest.approx(3.0)  # 300 voxels of 0.01 ml
    assert found.values["volume"][0] == pytest.approx(np.log(2.0))


def test_softness_by_hand(volume: Volume) -> None:
    """p = 0.75 inside, 0 outside: 4 p (1 - p) = 0.75; expected Dice 2 * 0.75 / 1.75."""
    mask = block(volume)
    found = measure(mask, evidence(mask, 0.75), volume, 30.0, 0.0)
    assert found is not None
    assert found.values["softness"][4] == pytest.approx(0.75)
    assert found.values["indecision"][4] == pytest.approx(0.75)
    assert found.values["expected_error"][4] == pytest.approx(1 - 1.5 / 1.75)


def test_area_step_end_and_middle_by_hand(volume: Volume) -> None:
    mask = block(volume)
    found = measure(mask, evidence(mask), volume, 30.0, 0.0)
    assert found is not None
    step = np.log((240 + SMALL_MM2) / SMALL_MM2)
    assert found.values["area_step"][2:7].tolist() == pytest.approx([step, 0, 0, 0, step])
    assert found.values["end"][2:5].tolist() == pytest.approx([1.0, np.exp(-0.5), np.exp(-1.0)])
    assert found.values["middle"][2:7].tolist() == pytest.approx([0.25, 0.0625, 0.0, 0.0625, 0.25])


def test_a_slice_shifted_sideways_stands_out(volume: Volume) -> None:
    mask = block(volume)
    mask.voxels[6] = np.roll(mask.voxels[6], 3, axis=1)  # 6 mm to the left of both neighbours, 2.5 mm per slice
    found = measure(mask, evidence(mask), volume, 30.0, 0.0)
    assert found is not None
    assert found.values["sideways"][4] == pytest.approx(6 / 2.5)
    assert found.values["sideways"][3] == pytest.approx(3 / 2.5)


def test_pieces_gap_density_and_edge(volume: Volume) -> None:
    mask = block(volume)
    mask.voxels[5, :, 9:11] = False
    mask.voxels[6] = False
    volume.voxels[7, 6:12, 5:15] = 130
    crop = evidence(mask)
    narrow = replace(crop, start_zyx=(0, 6, 0), probability=crop.probability[:, 6:])  # the crop begins at y = 6
    found = measure(mask, narrow, volume, 30.0, 0.0)
    assert found is not None
    assert found.values["pieces"].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert found.gap.tolist() == [False] * 4 + [True] + [False] * 4
    assert found.values["density"][5] == pytest.approx(100.0)
    assert found.edge.tolist() == [False, False, True, True, False, True, True, False, False]
    assert not measure(mask, crop, volume, 30.0, 0.0).edge.any()


def test_disagreement_is_the_part_that_changes(volume: Volume) -> None:
    mask = block(volume)
    once = evidence(mask)
    again = once.probability.copy()
    again[6, 6:9, 5:15] = 0.0  # half of one slice
    again[7] = np.nan  # not reached: no disagreement
    found = measure(mask, replace(once, again=again), volume, 30.0, 0.0)
    assert found is not None
    assert found.values["disagreement"].tolist() == pytest.approx([0, 0, 0, 0, 0.5, 0, 0, 0, 0])
    assert "disagreement" not in measure(mask, once, volume, 30.0, 0.0).values


def test_an_edited_mask_may_leave_the_crop(volume: Volume) -> None:
    mask = block(volume)
    crop = evidence(mask)
    small = replace(crop, start_zyx=(4, 6, 5), probability=crop.probability[4:6, 6:12, 5:15])
    found = measure(mask, small, volume, 30.0, 0.0)
    assert found is not None
    assert found.values["expected_error"].tolist()[2:7] == pytest.approx([0, 0, 1, 1, 1])  # nobody looked there


@pytest.mark.parametrize("flips", [(False, True, True), (True, False, True)])
def test_the_same_findings_for_a_scan_stored_the_other_way_round(volume: Volume, flips: tuple[bool, ...]) -> None:
    mask = block(volume)
    mask.voxels[6] = np.roll(mask.voxels[6], 2, axis=1)
    expected = measure(mask, evidence(mask), volume, 30.0, 0.0)
    axes = tuple(i for i, f in enumerate(flips) if f)
    zyx = np.array([0.0 if not f else n - 1 for f, n in zip(flips, SHAPE, strict=True)])
    origin = volume.geometry.index_to_lps(zyx)
    signs = [-1.0 if f else 1.0 for f in flips[::-1]]
    direction = tuple(tuple(s if i == j else 0.0 for j in range(3)) for i, s in enumerate(signs))
    stored = Volume(np.flip(volume.voxels, axes), Geometry(SHAPE, tuple(origin), SPACING_XYZ, direction), "CT")
    turned = Mask("Larynx", np.ascontiguousarray(np.flip(mask.voxels, axes)), (0, 0, 0), stored.geometry)
    found = measure(turned, evidence(mask), stored, 30.0, 0.0)
    assert expected is not None and found is not None
    assert found.index.tolist() == expected.index.tolist()
    assert np.allclose(found.middle_lps, expected.middle_lps)
    for name, values in expected.values.items():
        assert np.allclose(found.values[name], values), name

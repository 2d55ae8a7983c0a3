"""Reference regions: boxes, shifts and what a box holds, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.data.prepared import Case
from training.reference import clicked, held, mask_of, scaled, shifted, true_box, volume_of
from TwoStageSegLib.region import Kind, Region, Source, Status

# the brainstem: voxels 16..23, 14..21, 14..21 of 2.5, 4, 4 mm
BOUNDS = (13.5 * 4, 21.5 * 4, 13.5 * 4, 21.5 * 4, 15.5 * 2.5, 23.5 * 2.5)


@pytest.fixture
def box(case: Case) -> Region:
    return true_box(mask_of(case, "Brainstem", volume_of(case)))


def test_volume_and_mask_are_the_cases(case: Case) -> None:
    volume = volume_of(case)
    assert volume.geometry.spacing_xyz_mm == (4.0, 4.0, 2.5)
    assert volume.modality == "CT" and volume.voxels.shape == (40, 36, 36)
    mask = mask_of(case, "Brainstem", volume)
    assert mask.start_zyx == (16, 14, 14) and mask.voxels.shape == (8, 8, 8) and mask.voxels.all()
    assert mask.volume_ml == pytest.approx(512 * 0.04)


def test_true_box_reaches_the_outer_faces(box: Region) -> None:
    assert box.bounds_lps == pytest.approx(BOUNDS)
    assert (box.kind, box.source, box.status, box.organ) == (Kind.BOX, Source.REFERENCE, Status.LOCATED, "Brainstem")


def test_shifted_moves_by_exactly_so_much_and_keeps_the_size(box: Region) -> None:
    rng = np.random.default_rng(0)
    moves = [np.subtract(shifted(box, 7.0, rng).centre_lps, box.centre_lps) for _ in range(200)]
    assert np.allclose(np.linalg.norm(moves, axis=1), 7.0)
    assert np.abs(np.mean(moves, 0)).max() < 1.5  # every direction: the mean of 200 has a standard deviation of 0.29
    assert shifted(box, 7.0, rng).size_mm == box.size_mm
    assert shifted(box, 0.0, rng).centre_lps == pytest.approx(box.centre_lps)


def test_clicked_is_a_users_click(box: Region) -> None:
    click = clicked(box, 5.0, np.random.default_rng(0))
    assert (click.kind, click.source, click.size_mm) == (Kind.CENTRE, Source.CLICK, None)
    assert np.linalg.norm(np.subtract(click.centre_lps, box.centre_lps)) == pytest.approx(5.0)


def test_scaled_keeps_the_centre(box: Region) -> None:
    small = scaled(box, 0.5)
    assert small.centre_lps == box.centre_lps
    assert small.size_mm == pytest.approx((16.0, 16.0, 10.0))


def test_held_counts_voxel_centres(case: Case, box: Region) -> None:
    mask = mask_of(case, "Brainstem", volume_of(case))
    assert held(mask, box) == 1.0
    assert held(mask, scaled(box, 0.5)) == pytest.approx(1 / 8)  # the inner 4 of 8 voxels along each axis
    x, y, z = box.centre_lps
    assert held(mask, replace(box, centre_lps=(x + 8.0, y, z))) == pytest.approx(6 / 8)  # two of eight columns left out
    assert held(mask, replace(box, centre_lps=(x + 100.0, y, z))) == 0.0


def test_held_follows_the_boxs_own_axes(case: Case, box: Region) -> None:
    mask = mask_of(case, "Brainstem", volume_of(case))
    x, y, z = box.size_mm
    swapped = replace(box, size_mm=(z, y, x), axes=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    assert held(mask, swapped) == 1.0

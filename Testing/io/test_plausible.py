"""Is it a CT in Hounsfield units? Synthetic patients with every mistake, and real scans."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.io import check_ct, read_volume
from TwoStageSegLib.volume import Volume


def ct() -> np.ndarray:
    """Air around a body with fat, muscle, lung and bone, and noise."""
    _, y, x = np.mgrid[:20, -40:40, -40:40]
    radius = np.hypot(y, x)
    hu = np.select([radius < 5, radius < 12, radius < 25, radius < 30], [700, -800, 50, -100], -1000)
    return (hu + np.random.default_rng(0).normal(0, 15, hu.shape)).astype(np.int16)


def volume(voxels: np.ndarray, spacing: float = 5.0, modality: str = "") -> Volume:
    z, y, x = voxels.shape
    return Volume(voxels, Geometry((z, y, x), (0.0, 0.0, 0.0), (spacing, spacing, spacing)), modality)


@pytest.mark.parametrize("modality", ["", "CT"])
@pytest.mark.parametrize(
    "change",
    [
        lambda hu: hu,
        lambda hu: np.where(hu < -900, -3024, hu),  # padding
        lambda hu: np.where(hu < -900, -2000, hu),
        lambda hu: np.where(hu > 600, 30000, hu),  # metal
        lambda hu: np.where(hu > 600, -32768, hu),  # wrapped round
        lambda hu: hu.astype(np.float64),
        lambda hu: hu.astype(">i4"),
        lambda hu: np.maximum(hu, -1000),
    ],
)
def test_a_ct_passes(change, modality):
    check_ct(volume(change(ct()), modality=modality))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda hu: hu + 1024, "E_HU_OFFSET"),
        (lambda hu: (hu + 1024).clip(0).astype(np.uint16), "E_HU_OFFSET"),
        (lambda hu: hu + 1000.0, "E_HU_OFFSET"),
        (lambda hu: hu - 1024, "E_HU_OFFSET"),
        (lambda hu: ((hu.clip(-160, 240) + 160) / 400 * 255).astype(np.uint8), "E_HU_RANGE"),
        (lambda hu: hu.clip(-160, 240), "E_HU_RANGE"),
        (lambda hu: ((hu + 1000) / 2000).astype(np.float32), "E_HU_RANGE"),
        (lambda hu: (hu > 0).astype(np.uint8), "E_HU_RANGE"),
        (lambda hu: np.where(hu < -900, 0, 300 + hu // 10), "E_HU_RANGE"),  # like an MR
    ],
)
def test_what_is_no_hu(change, code):
    with pytest.raises(InputRefused) as caught:
        check_ct(volume(change(ct())))
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("modality", ["MR", "PT", "US", "RTDOSE"])
def test_another_modality(modality):
    with pytest.raises(InputRefused) as caught:
        check_ct(volume(ct(), modality=modality))
    assert caught.value.code == "E_MODALITY" and modality in str(caught.value)


def test_spacing_in_centimetres():
    with pytest.raises(InputRefused) as caught:
        check_ct(volume(ct(), spacing=0.5))
    assert caught.value.code == "E_FOV"


def test_real_cts_pass_and_real_mrs_do_not(data_dir):
    quick = data_dir / "quick"
    for path in [*(quick / "openkbp").glob("*_ct.nrrd"), quick / "totalsegmentator" / "example_ct_sm.nii.gz"]:
        check_ct(read_volume(path))
    check_ct(read_volume(quick / "dcm_rtstruct_sts019"))
    for path in [
        quick / "sct" / "t1w.nii.gz",
        quick / "sct" / "t2.nii.gz",
        quick / "totalsegmentator" / "example_mr_sm.nii.gz",
        *(quick / "hippocampus").glob("*_mr.nrrd"),
    ]:
        with pytest.raises(InputRefused) as caught:
            check_ct(read_volume(path))
        assert caught.value.code == "E_HU_RANGE"

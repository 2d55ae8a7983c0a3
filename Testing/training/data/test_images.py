"""Label images on their image's grid; several values as one organ; what is no label image or lies elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from Testing.training.data.conftest import ct, labels, save
from training.data.images import read_image, read_labels, read_mask
from TwoStageSegLib.errors import InputRefused


@pytest.fixture
def image(tmp_path: Path):
    return read_image(save(tmp_path / "ct.nii.gz", ct()), "CT")


def test_values_become_organs(image, tmp_path: Path) -> None:
    path = save(tmp_path / "seg.nii.gz", labels(1, 2))
    masks, odd = read_labels(path, image.geometry, {"Liver": [1]})
    assert [(m.organ, int(m.voxels.sum())) for m in masks] == [("Liver", 144)]
    assert odd == ["label 2 has no name and is left out"] and image.modality == "CT"
    masks, odd = read_labels(path, image.geometry, {"Both": [1, 2], "Absent": [7]})
    assert [(m.organ, int(m.voxels.sum())) for m in masks] == [("Both", 264)] and odd == []


def test_an_empty_label_image_is_nothing_labelled(image, tmp_path: Path) -> None:
    path = save(tmp_path / "seg.nii.gz", labels())
    assert read_labels(path, image.geometry, {"Liver": [1]}) == ([], ["nothing is labelled"])
    assert read_mask(path, image.geometry, "Liver").empty


def test_labels_as_floats_pass_and_fractions_do_not(image, tmp_path: Path) -> None:
    path = save(tmp_path / "seg.nrrd", labels(1).astype(np.float32))
    assert read_labels(path, image.geometry, {"Liver": [1]})[0][0].voxels.sum() == 144
    path = save(tmp_path / "soft.nrrd", labels(1) * np.float32(0.4))
    with pytest.raises(InputRefused, match=r"soft\.nrrd holds fractions"):
        read_labels(path, image.geometry, {"Liver": [1]})


@pytest.mark.parametrize(
    "change",
    [
        {"spacing": (4.0, 4.0, 5.1)},
        {"origin": (-59.0, -50.0, 30.0)},
        {"voxels": labels(1)[:-1]},
    ],
    ids=["spacing", "moved by a quarter voxel", "a slice less"],
)
def test_labels_on_another_grid_are_refused(image, tmp_path: Path, change) -> None:
    path = save(tmp_path / "seg.nrrd", **{"voxels": labels(1), **change})
    for read in (
        lambda: read_labels(path, image.geometry, {"Liver": [1]}),
        lambda: read_mask(path, image.geometry, "L"),
    ):
        with pytest.raises(InputRefused, match=r"voxels of seg\.nrrd are not those of its image") as caught:
            read()
        assert caught.value.code == "E_GRID"


def test_of_several_channels_the_first_is_read(tmp_path: Path) -> None:
    """MSD's prostate holds T2 and ADC in one 4D file."""
    path = save(tmp_path / "two.nii.gz", np.stack([ct(), ct() + 7]), (4.0, 4.0, 5.0, 1.0))
    volume = read_image(path, "MR")
    assert np.array_equal(volume.voxels, ct()) and volume.modality == "MR"
    assert volume.geometry.spacing_xyz_mm == pytest.approx((4.0, 4.0, 5.0))

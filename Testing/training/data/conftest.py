"""Small data sets in the layouts that researchers have, made by hand: a CT of a box body with box organs.

The published sets are not here: what these tests show is that the layout as it is described is read, not that a
download of a set has no surprises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

SHAPE = (12, 30, 30)
SPACING_XYZ = (4.0, 4.0, 5.0)
BOXES = {
    1: (slice(3, 7), slice(8, 14), slice(8, 14)),  # 144 voxels
    2: (slice(4, 9), slice(16, 22), slice(16, 20)),  # 120 voxels
}


def ct() -> NDArray[np.int16]:
    """A body of 20 HU in air, organs of 60 and 90."""
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[:, 4:26, 4:26] = 20
    for value, box in BOXES.items():
        voxels[box] = 30 + 30 * value
    return voxels


def labels(*values: int) -> NDArray[np.uint8]:
    """The boxes of these labels."""
    out = np.zeros(SHAPE, np.uint8)
    for value in values:
        out[BOXES[value]] = value
    return out


def save(path: Path, voxels: NDArray, spacing: tuple[float, ...] = SPACING_XYZ, origin=(-60.0, -50.0, 30.0)) -> Path:
    """Write an image file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(voxels, isVector=False)
    image.SetSpacing(spacing[: image.GetDimension()])
    image.SetOrigin([*origin, 0.0][: image.GetDimension()])
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def msd(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder as the Decathlon publishes one: ``dataset.json``, ``imagesTr``, ``labelsTr``."""

    def make(name: str = "Liver", names: dict[str, str] | None = None, cases: int = 4, modality: str = "CT") -> Path:
        folder = tmp_path / f"Task03_{name}"
        training = []
        for i in range(cases):
            case = f"{name.lower()}_{i:03d}"
            save(folder / "imagesTr" / f"{case}.nii.gz", ct())
            save(folder / "labelsTr" / f"{case}.nii.gz", labels(1, 2))
            training.append({"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"})
        text = {
            "name": name, "modality": {"0": modality}, "numTraining": cases, "training": training, "test": [],
            "labels": names or {"0": "background", "1": "liver", "2": "cancer"}, "licence": "CC-BY-SA 4.0",
        }  # fmt: skip
        (folder / "dataset.json").write_text(json.dumps(text))
        return folder

    return make

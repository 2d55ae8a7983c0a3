"""One small synthetic scan, made by hand, that can be stored in every format and orientation.

Where its organs lie in the patient is computed from what was put into the file, never by the product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from Testing.harness.dicom import ct_slice, write
from Testing.harness.fake_system import BOXES_ZYX, HU, SIZE

STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
OBLIQUE = ((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
LEFT_HANDED = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
Points = set[tuple[float, ...]]


def body() -> NDArray[np.int16]:
    """24 x 24 x 28 voxels (z, y, x): air, a body of 40 to 58 HU with lung, bone and the fake system's three organs."""
    z, y, x = np.mgrid[:24, :24, :28]
    hu = np.where(((y - 12) / 11) ** 2 + ((x - 13.5) / 13) ** 2 < 1, 40 + (z + y + x) % 7 * 3, -1000)
    hu[3:21, 16:20, 12:16] = -800
    hu[:, 2:5, 12:16] = 700
    for organ, value in HU.items():
        hu[block(organ)] = value
    return hu.astype(np.int16)


def block(organ: str) -> tuple[slice, ...]:
    """Where an organ's 64 voxels are."""
    return tuple(slice(start, start + SIZE) for start in BOXES_ZYX[organ])


@dataclass(frozen=True, eq=False)
class Scan:
    """Voxels ``(z, y, x)`` and where they lie: ``direction`` has the steps along x, y, z as columns, LPS."""

    voxels: NDArray
    spacing: tuple[float, float, float] = (4.0, 4.0, 5.0)
    origin: tuple[float, float, float] = (-30.0, -20.0, 100.0)
    direction: tuple[tuple[float, ...], ...] = STRAIGHT

    def but(self, **changes) -> Scan:
        return replace(self, **changes)

    def points(self, organ: str) -> Points:
        """LPS mm of the voxels that hold the organ's value, to 0.01 mm."""
        return self.places(np.argwhere(self.voxels == HU[organ]))

    def places(self, index_zyx: NDArray) -> Points:
        steps = np.asarray(self.direction) * self.spacing
        lps = np.asarray(self.origin) + np.asarray(index_zyx)[:, ::-1] @ steps.T
        return {tuple(float(v) for v in row) for row in np.round(lps, 2) + 0.0}

    def image(self) -> SimpleITK.Image:
        image = SimpleITK.GetImageFromArray(self.voxels)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(np.ravel(self.direction).tolist())
        return image

    def save(self, path: Path, compress: bool = False) -> Path:
        SimpleITK.WriteImage(self.image(), str(path), compress)
        return path

    def slices(self) -> list[Dataset]:
        """A CT series: slice k of the voxels, stored unsigned with intercept -1024."""
        columns = np.asarray(self.direction)
        rows = [float(v) for v in (*columns[:, 0], *columns[:, 1])]
        step = columns[:, 2] * self.spacing[2]
        spacing = (self.spacing[1], self.spacing[0])
        places = [np.asarray(self.origin) + k * step for k in range(len(self.voxels))]
        return [ct_slice(s, p, spacing, rows) for s, p in zip(self.voxels, places, strict=True)]

    def series(self, folder: Path) -> Path:
        return write(folder, self.slices())


def scan() -> Scan:
    """The scan as it comes, for a case to spoil."""
    return Scan(body())


def labels_in(segmentation: Path) -> dict[str, Points]:
    """LPS points of every segment of a ``.seg.nrrd`` without overlaps, by SimpleITK alone."""
    image = SimpleITK.ReadImage(str(segmentation))
    array = SimpleITK.GetArrayFromImage(image)
    found = {}
    for i in range(array.max() + 1):
        if f"Segment{i}_Name" not in image.GetMetaDataKeys():
            continue
        label = int(image.GetMetaData(f"Segment{i}_LabelValue"))
        indices = [tuple(int(v) for v in row[::-1]) for row in np.argwhere(array == label)]
        places = (image.TransformIndexToPhysicalPoint(index) for index in indices)
        found[image.GetMetaData(f"Segment{i}_Name")] = {tuple(round(v, 2) + 0.0 for v in p) for p in places}
    return found


def replaced(path: Path, old: bytes, new: bytes, count: int = 1) -> Path:
    """The file with bytes replaced, which must be there."""
    data = path.read_bytes()
    assert old in data, old
    path.write_bytes(data.replace(old, new, count))
    return path


def cut(path: Path, keep: float) -> Path:
    """The file with only its beginning left."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path

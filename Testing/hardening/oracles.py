"""What a file says by other libraries than the product's readers, and what may come of a changed file.

A change that a format cannot show (a digit of a voxel, of a spacing) makes a different, valid file. So what is asked
is: a clear refusal, or the very voxels and grid that somebody else reads in the same bytes. Never a crash, a hang, or
a third thing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from numpy.typing import NDArray

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.io.quiet import quiet_itk

LONGEST_S = 20.0


@dataclass(frozen=True, eq=False)
class Reading:
    """``matrix``: index (x, y, z, 1) to LPS mm."""

    voxels: NDArray
    matrix: NDArray[np.float64]

    def equals(self, other: Reading | None) -> bool:
        """The same voxels (fractions to float32) on the same grid (a micrometre, or what a header's float32 holds)."""
        if other is None or self.voxels.shape != other.voxels.shape:
            return False
        mine, theirs = (r.voxels.astype(np.float64) for r in (self, other))
        return np.allclose(mine, theirs, rtol=1e-6, atol=1e-3) and np.allclose(self.matrix, other.matrix, 1e-6, 1e-3)


def ours(path: Path) -> Reading | str:
    """The product's reading, or the code of its refusal. Any other error, and a long wait, fails the test."""
    started = time.monotonic()
    try:
        volume = read_volume(path)
    except InputRefused as error:
        text = str(error)
        assert error.code.startswith("E_") and "\n" not in text and len(text) < 260, text
        assert str(path.parent) not in text, text
        return error.code
    finally:
        assert time.monotonic() - started < LONGEST_S
    return Reading(volume.voxels, volume.geometry.matrix)


def itk(path: Path) -> Reading | None:
    """One file by SimpleITK, None if it cannot."""
    try:
        with quiet_itk():
            image = SimpleITK.ReadImage(str(path))
    except RuntimeError:
        return None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        return None
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return Reading(SimpleITK.GetArrayFromImage(image), matrix)


def dicom(folder: Path) -> Reading | None:
    """A folder of axial slices by pydicom and numpy alone, None if it cannot."""
    try:
        slices = [pydicom.dcmread(p) for p in folder.iterdir() if p.suffix != ".txt"]
        slices = [ds for ds in slices if "PixelData" in ds]
        slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
        voxels = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in slices])
        first, last = (np.asarray(ds.ImagePositionPatient, float) for ds in (slices[0], slices[-1]))
        matrix = np.eye(4)
        matrix[:3, 0] = np.asarray(slices[0].ImageOrientationPatient[:3], float) * float(slices[0].PixelSpacing[1])
        matrix[:3, 1] = np.asarray(slices[0].ImageOrientationPatient[3:], float) * float(slices[0].PixelSpacing[0])
        matrix[:3, 2], matrix[:3, 3] = (last - first) / (len(slices) - 1), first
    except Exception:
        return None
    return Reading(voxels, matrix)

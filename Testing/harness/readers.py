"""Two readers' masks of the same scans (DeepMind and UCLH, ``dm_hn_masks`` of the test data), on one grid per scan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

FOLDER = "dm_hn_masks"


@dataclass(frozen=True, eq=False)
class Pair:
    """Label maps ``(z, y, x)`` of the radiographer and of the oncologist (the reference), spacing (z, y, x) mm."""

    radiographer: NDArray[np.uint8]
    oncologist: NDArray[np.uint8]
    spacing_zyx_mm: tuple[float, float, float]


@lru_cache(maxsize=1)
def labels(data: Path) -> dict[str, int]:
    """Value of every organ, by the data set's own name."""
    lines = (data / FOLDER / "labels.txt").read_text(encoding="utf-8").split("\n")
    return {name: int(value) for value, name in (line.split() for line in lines if line)}


def cases(data: Path, split: str) -> list[str]:
    return sorted(f.name.removesuffix("_seg.nrrd") for f in (data / FOLDER / split / "oncologist").glob("*_seg.nrrd"))


def pair(data: Path, split: str, case: str) -> Pair:
    """Each file is cropped to its labels, so the two are put into the box that holds both."""
    one, two = (
        sitk.ReadImage(str(data / FOLDER / split / reader / f"{case}_seg.nrrd"))
        for reader in ("oncologist", "radiographer")
    )
    exact = np.asarray(one.TransformPhysicalPointToContinuousIndex(two.GetOrigin()))[::-1]
    offset = np.round(exact).astype(int)
    assert np.abs(exact - offset).max() < 1e-3, "the readers' grids do not fit"
    a, b = sitk.GetArrayViewFromImage(one), sitk.GetArrayViewFromImage(two)
    low, high = np.minimum(0, offset), np.maximum(a.shape, offset + b.shape)
    placed = []
    for array, start in ((b, offset - low), (a, -low)):
        full = np.zeros(high - low, np.uint8)
        full[tuple(slice(s, s + n) for s, n in zip(start, array.shape, strict=True))] = array
        placed.append(full)
    x, y, z = one.GetSpacing()
    return Pair(placed[0], placed[1], (z, y, x))

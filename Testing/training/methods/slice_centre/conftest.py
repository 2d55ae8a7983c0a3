"""Prepared cases with a bright tube in a box of a body, and the smallest recipe for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.augment import IntensityRange, PoseRange
from training.data.prepared import ORGANS, Case, load_cases, write_case
from training.methods.slice_centre.recipe import SliceCentreRecipe

SPACING = (2.5, 4.0, 4.0)
SHAPE = (36, 40, 44)
TUBE = {z: (15 + z // 6, 21 - z // 8) for z in range(8, 28)}  # slice -> first row, first column of 4 x 6 voxels


def tube_case(folder: Path, name: str, split: str, fraction: float = 1.0, absent: bool = False) -> None:
    ct = np.full(SHAPE, -1024, np.int16)
    ct[:, 6:-6, 5:-5] = 40
    labels = np.zeros(SHAPE, np.uint8)
    for z, (row, column) in {} if absent else TUBE.items():
        ct[z, row : row + 4, column : column + 6] = 200
        labels[z, row : row + 4, column : column + 6] = 1 + ORGANS.index("Esophagus")
    known = {} if absent else {"Esophagus": fraction}
    none = ("Esophagus",) if absent else ()
    write_case(folder / name, name, split, "A", ct, labels, SPACING, ORGANS, known, none)


@pytest.fixture(scope="session")
def tubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole tube to train on and one, the same, to validate on; one that is cut, and a body without."""
    folder = tmp_path_factory.mktemp("tubes")
    tube_case(folder, "train", "train")
    tube_case(folder, "validation", "validation")
    tube_case(folder, "cut", "other", fraction=0.6)
    tube_case(folder, "without", "other", absent=True)
    return folder


@pytest.fixture
def whole(tubes: Path) -> Case:
    return load_cases(tubes, "validation")[0]


@pytest.fixture
def others(tubes: Path) -> dict[str, Case]:
    return {case.name: case for case in load_cases(tubes, "other")}


@pytest.fixture(scope="session")
def tiny() -> SliceCentreRecipe:
    """Nothing random but which slice is taken; pixels of 2 mm, crops of 64 mm."""
    return SliceCentreRecipe(
        name="tiny",
        organs=("Esophagus",),
        clip=(-160.0, 240.0),
        scale=100.0,
        mirror=False,
        ema=0.9,
        poses=PoseRange(rotation_deg=0.0, scale=(1.0, 1.0), stretch=0.0, shift_mm=0.0),
        intensities=IntensityRange((1.0, 1.0), 0.0, 0.0),
        locate_spacing_mm=2.0,
        field_mm=128.0,
        locate_widths=(8, 8, 8, 8),
        locate_up=(8, 8, 8),
        locate_hidden=8,
        locate_batch=4,
        locate_jitter_mm=0.0,
        crop_mm=64.0,
        slice_spacing_mm=2.0,
        slice_widths=(8, 16),
        slice_batch=4,
        chunk_spacing_mm=2.0,
        chunk_slices=16,
        chunk_widths=(4, 8),
        pools=((1, 2, 2),),
        chunk_batch=1,
        ends_mm=0.0,
        empty=0.0,
        error_mm=3.0,
    )

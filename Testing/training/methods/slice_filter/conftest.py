"""The smallest recipe of ``slice-filter``, and a scan whose body reaches every border, so that borders are tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.augment import IntensityRange, PoseRange
from training.data.prepared import Case, load_cases, write_case
from training.methods.slice_filter.recipe import SliceFilterRecipe

STILL = PoseRange(rotation_deg=0.0, scale=(1.0, 1.0), stretch=0.0, shift_mm=0.0)
QUIET = IntensityRange(contrast=(1.0, 1.0), offset=0.0, noise=0.0)


@pytest.fixture
def tiny() -> SliceFilterRecipe:
    """Nothing random: no pose, no noise, no surroundings. The organ is ``box_case``'s."""
    return SliceFilterRecipe(
        name="tiny-filter",
        organs=("Brainstem",),
        field_mm=64.0,
        locate_pixel_mm=2.0,
        segment_pixel_mm=1.0,
        slice_mm=2.5,
        locate_widths=(8, 8, 8, 8),
        segment_widths=(8, 8, 16, 16),
        segment_width=8,
        dropout=0.0,
        locate_batch=8,
        segment_batch=8,
        mirror=False,
        salt=0.0,
        surroundings=False,
        poses=STILL,
        intensities=QUIET,
    )


@pytest.fixture
def wide(tmp_path: Path) -> Case:
    """Tissue of random density up to every face; 3 x 2 x 1.5 mm; the organ is a bright block of slices 4 to 9."""
    rng = np.random.default_rng(0)
    ct = rng.integers(0, 100, (14, 33, 40)).astype(np.int16)
    labels = np.zeros(ct.shape, np.uint8)
    labels[4:10, 10:20, 12:24] = 1
    ct[labels == 1] = 300
    write_case(tmp_path / "wide", "wide", "train", "", ct, labels, (3.0, 2.0, 1.5), ("Brainstem",), {"Brainstem": 1.0})
    return load_cases(tmp_path)[0]

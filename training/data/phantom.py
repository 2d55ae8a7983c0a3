"""Synthetic cases from ``TwoStageSegLib.sample``, in the prepared layout: every organ known, any number of patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from TwoStageSegLib.sample.phantom import generate

from .prepared import ORGANS, write_case

FIRST_SEED = 1000  # the sample that users see has a small seed and is never trained on


def prepare(target: Path, count: int) -> int:
    """Generate ``count`` patients: 80 % train, 10 % validation, 10 % test. Returns ``count``."""
    for i in range(count):
        phantom = generate(FIRST_SEED + i)
        volume = phantom.volume
        labels = np.zeros(volume.voxels.shape, np.uint8)
        for value, organ in enumerate(ORGANS, 1):
            labels[phantom.masks[organ].full()] = value
        split = ("validation", "test")[i % 10 - 8] if i % 10 >= 8 else "train"
        name = f"phantom_{i:03d}"
        write_case(
            target / name,
            name,
            split,
            "A",
            volume.voxels,
            labels,
            volume.geometry.spacing_zyx_mm,
            ORGANS,
            dict.fromkeys(ORGANS, 1.0),
        )
    return count

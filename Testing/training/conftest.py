"""Small prepared cases made by hand: a box organ in a body box, so that every number can be worked out on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.prepared import ORGANS, Case, load_cases, write_case

SPACING = (2.5, 4.0, 4.0)


def box_case(folder: Path, name: str, split: str, shift: int = 0, parotids: bool = True) -> None:
    """Body 30 x 26 x 26 voxels in air; Parotid_R (x low), Parotid_L (x high), Brainstem in the middle."""
    ct = np.full((40, 36, 36), -1024, np.int16)
    ct[5:35, 5:31, 5:31] = 40
    labels = np.zeros(ct.shape, np.uint8)
    boxes = {"Brainstem": (slice(16 + shift, 24 + shift), slice(14, 22), slice(14, 22))}
    if parotids:
        boxes["Parotid_R"] = (slice(18 + shift, 26 + shift), slice(12, 18), slice(6, 11))
        boxes["Parotid_L"] = (slice(18 + shift, 26 + shift), slice(12, 18), slice(25, 30))
    for organ, where in boxes.items():
        labels[where] = 1 + ORGANS.index(organ)
        ct[where] = 140 if organ == "Brainstem" else 90
    write_case(folder / name, name, split, "A", ct, labels, SPACING, ORGANS, dict.fromkeys(boxes, 1.0))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three training cases (one without parotid contours), one validation and one test case."""
    folder = tmp_path_factory.mktemp("prepared")
    for i in range(3):
        box_case(folder, f"train_{i}", "train", shift=i - 1, parotids=i != 2)
    box_case(folder, "val", "validation")
    box_case(folder, "test", "test", shift=1)
    return folder


@pytest.fixture
def case(prepared: Path) -> Case:
    return load_cases(prepared, "validation")[0]


@pytest.fixture
def located_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calibration take boxes whose centre is far off: the tiny run finds every organ in the whole body."""
    monkeypatch.setattr("training.calibrate.GROSS_MM", 100.0)


@pytest.fixture(scope="session")
def tiny_run(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the smallest networks on the cases above."""
    from Testing.harness.tiny_recipe import write_run

    return write_run(prepared, tmp_path_factory.mktemp("run"))

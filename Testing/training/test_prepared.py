"""The prepared layout: boxes, unknown organs, distance outside the body; the committed split."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from training.data.openkbp import SPLITS, prepare
from training.data.prepared import Case, distance_outside, load_cases


def test_boxes_and_centre(case: Case) -> None:
    assert case.known["Brainstem"].box == [[16, 24], [14, 22], [14, 22]]
    assert case.centre_index("Brainstem").tolist() == [19.5, 17.5, 17.5]
    assert case.whole("Brainstem")
    assert not case.whole("Larynx")


def test_uncontoured_organs_are_unknown(prepared: Path) -> None:
    third = load_cases(prepared, "train")[2]
    assert set(third.known) == {"Brainstem"}


def test_distance_outside_by_hand() -> None:
    ct = np.full((3, 9, 9), -1024, np.int16)
    ct[:, 3:6, 3:6] = 0
    ct[1, 4, 4] = -1000  # an airway: enclosed, so inside
    distance = distance_outside(ct, (2.5, 4.0, 5.0))
    assert distance[1, 4, 4] == 0
    assert distance[1, 4, 2] == 5
    assert distance[1, 4, 0] == 15
    assert distance[1, 0, 4] == 12


def test_split_is_by_patient() -> None:
    splits = json.loads(SPLITS.read_text())
    assert {k: len(v) for k, v in splits.items()} == {"train": 170, "validation": 33, "test": 53}
    assert not any(set(a) & set(b) for a, b in combinations(splits.values(), 2))


def test_openkbp_partial_labels_stay_unknown(data_dir: Path, tmp_path: Path) -> None:
    """On the real set: pt_1 has no contour of the left parotid's neighbours Esophagus and Larynx."""
    source = data_dir / "openkbp"
    if not (source / "index.csv").exists():
        pytest.skip("the OpenKBP data set is not at hand")
    small = tmp_path / "source"
    (small / "train").mkdir(parents=True)
    lines = (source / "index.csv").read_text().splitlines()
    (small / "index.csv").write_text("\n".join([lines[0], next(line for line in lines if line.startswith("pt_1,"))]))
    for kind in ("ct", "seg"):
        (small / "train" / f"pt_1_{kind}.nrrd").symlink_to(source / "train" / f"pt_1_{kind}.nrrd")
    assert prepare(small, tmp_path / "prepared") == 1
    case = load_cases(tmp_path / "prepared")[0]
    assert "Esophagus" not in case.known
    assert "Larynx" not in case.known
    assert case.known["SpinalCord"].fraction == pytest.approx(0.6247)
    assert not case.whole("SpinalCord")

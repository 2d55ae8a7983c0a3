"""What is seen in a data set, worked out by hand on the box cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.data.prepared import write_case
from training.suggest.look import described, look
from TwoStageSegLib.errors import UsageError


def test_sizes_by_hand(prepared: Path) -> None:
    """Brainstem: 8 x 8 x 8 voxels of 2.5 x 4 x 4 mm in 40 x 36 x 36; known in all four cases, parotids in three."""
    facts = look(prepared)
    assert (facts.modality, facts.training, facts.validation) == ("CT", 3, 1)
    assert (facts.spacing_mm, facts.image_mm) == ((2.5, 4.0, 4.0), (100.0, 144.0, 144.0))
    stem = facts.organ("Brainstem")
    assert (stem.cases, facts.organ("Parotid_L").cases) == (4, 3)
    assert stem.extent_mm == (20.0, 32.0, 32.0) and stem.narrow_mm == 20.0
    assert stem.volume_ml == (20.48, 20.48, 20.48)
    assert stem.percent == pytest.approx(100 * 512 / 51840, abs=1e-4)
    assert (stem.slices, stem.slice_share) == (8, 0.2)
    # centres at -1, 0, 1 slices in training and 0 in validation
    assert stem.place_sd_mm == pytest.approx(2.5 * np.std([-1, 0, 1, 0]), abs=0.05)


def test_test_cases_are_not_looked_at(prepared: Path, tmp_path: Path) -> None:
    case = tmp_path / "only" / "x"
    ct = np.full((8, 30, 30), 20, np.int16)
    ct[:, 0] = -1000
    labels = np.zeros(ct.shape, np.uint8)
    labels[2:4, 5:9, 5:9] = 1
    write_case(case, "x", "test", "", ct, labels, (5.0, 4.0, 4.0), ["Liver"], {"Liver": 1.0})
    with pytest.raises(UsageError, match="no training cases"):
        look(tmp_path / "only")


def test_what_was_written_about_several_sets_is_put_together(tmp_path: Path) -> None:
    for name, licence in (("a", "CC0"), ("b", "own terms")):
        text = {"title": name.upper(), "licence": licence, "attribution": [name], "seed": 0}
        (tmp_path / f"dataset-{name}.json").write_text(json.dumps(text))
    assert described(tmp_path) == {"title": "A; B", "licence": "CC0; own terms", "attribution": ["a", "b"]}
    assert described(tmp_path / "nothing") == {}

"""Splits: per patient, from a seed, true to what was written before."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from training.data.split import Shares, draw_split, read_split, write_split
from TwoStageSegLib.errors import UsageError

CASES = [f"p{patient:02d}_{scan}" for patient in range(20) for scan in "ab"]


def patient(case: str) -> str:
    return case[:3]


def nobody(case: str) -> bool:
    return False


def test_parts_and_their_sizes() -> None:
    split = draw_split(CASES, patient, nobody, Shares(0.1, 0.2, seed=1))
    assert Counter(split.values()) == {"train": 28, "test": 8, "validation": 4}  # twice 14, 4 and 2 of 20 patients
    assert all(split[f"p{i:02d}_a"] == split[f"p{i:02d}_b"] for i in range(20))


def test_the_seed_decides() -> None:
    first, again, other = (draw_split(CASES, patient, nobody, Shares(seed=s)) for s in (3, 3, 4))
    assert first == again != other
    assert first == draw_split(CASES[::-1], patient, nobody, Shares(seed=3))  # the order of the files does not


def test_what_the_data_set_holds_out_is_the_test_set() -> None:
    split = draw_split(CASES, patient, lambda c: c in ("p03_a", "p07_b"), Shares(0.1, 0.5))
    assert {case for case, part in split.items() if part == "test"} == {"p03_a", "p03_b", "p07_a", "p07_b"}


def test_new_patients_do_not_move_old_ones(tmp_path: Path) -> None:
    before = draw_split(CASES[:20], patient, nobody, Shares(seed=5))
    write_split(tmp_path / "split.json", before)
    fixed = read_split(tmp_path / "split.json")
    after = draw_split(CASES, patient, nobody, Shares(seed=6), fixed)
    assert {case: after[case] for case in CASES[:20]} == before
    one_more_scan = draw_split([*CASES[:20], "p03_c"], patient, nobody, Shares(seed=6), fixed)
    assert one_more_scan["p03_c"] == before["p03_a"]


def test_three_patients_are_the_fewest() -> None:
    assert sorted(draw_split(["a", "b", "c"], str, nobody, Shares()).values()) == ["test", "train", "validation"]
    with pytest.raises(UsageError, match="2 patients are too few"):
        draw_split(["a", "b"], str, nobody, Shares())
    assert set(draw_split(["a", "b"], str, nobody, Shares(test=0.0)).values()) == {"train", "validation"}


def test_a_patient_in_two_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="The patient of case p00_b is in two parts"):
        draw_split(CASES, patient, nobody, Shares(), {"p00_a": "train", "p00_b": "test"})


@pytest.mark.parametrize("content", ["{", "[]", '{"training": []}', '{"train": ["a"], "test": ["a"]}', '{"train": 3}'])
def test_a_file_that_is_no_split(tmp_path: Path, content: str) -> None:
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(UsageError, match=r"split\.json is no split"):
        read_split(tmp_path / "split.json")


def test_the_form_of_the_committed_splits(tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", {"b": "train", "a": "train", "c": "test"})
    assert json.loads((tmp_path / "split.json").read_text()) == {"train": ["a", "b"], "validation": [], "test": ["c"]}
    committed = Path(__file__).parents[3] / "training" / "splits" / "openkbp.json"
    assert Counter(read_split(committed).values())["test"] > 0

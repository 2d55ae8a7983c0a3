"""Which cases are for training, validation and test: drawn once per patient, from a seed, and written to a file.

A file that is there stays true: cases that it names keep their part, so that adding data never moves a test case into
training. It has the form of ``training/splits/*.json``: ``{"train": [...], "validation": [...], "test": [...]}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.outputs.atomic import atomic_file

SPLITS = ("train", "validation", "test")
Split = dict[str, str]
"""Part of each case."""


@dataclass(frozen=True)
class Shares:
    """How much of the patients is held out, and the seed of the draw. At least one patient is, of each kind."""

    validation: float = 0.15
    test: float = 0.15
    seed: int = 0


def draw_split(
    cases: Sequence[str],
    patient_of: Callable[[str], str],
    is_test: Callable[[str], bool],
    shares: Shares,
    fixed: Mapping[str, str] | None = None,
) -> Split:
    """The part of every case.

    Parameters
    ----------
    patient_of : the patient of a case; all cases of one patient go into one part.
    is_test : what the data set itself holds out. If there is any such case, no other becomes a test case.
    fixed : parts that are decided already (of patients too, through any of their cases).

    Raises
    ------
    UsageError : E_SPLIT if a patient is in two parts of ``fixed``, or there are too few patients.
    """
    decided = _decided(cases, patient_of, is_test, fixed or {})
    own_test = any(is_test(c) for c in cases) or "test" in decided.values()
    patients = sorted({patient_of(c) for c in cases} - set(decided))
    order = [patients[i] for i in np.random.default_rng(shares.seed).permutation(len(patients))]
    parts = dict(decided)
    wanted = (("test", 0.0 if own_test else shares.test), ("validation", shares.validation))
    for part, share in wanted:
        count = round(share * len(patients))
        if share > 0 and part not in decided.values():
            count = max(1, count)
        parts |= dict.fromkeys(order[:count], part)
        order = order[count:]
    parts |= dict.fromkeys(order, "train")
    if "train" not in parts.values():
        raise UsageError("E_SPLIT", f"{len(parts)} patients are too few for training, validation and test.")
    return {case: parts[patient_of(case)] for case in cases}


def _decided(
    cases: Sequence[str], patient_of: Callable[[str], str], is_test: Callable[[str], bool], fixed: Mapping[str, str]
) -> dict[str, str]:
    """Part of each patient that is no longer to be drawn."""
    parts: dict[str, str] = {}
    for case in cases:
        part = fixed.get(case) or ("test" if is_test(case) else "")
        if part and parts.setdefault(patient_of(case), part) != part:
            raise UsageError(
                "E_SPLIT", f"The patient of case {case} is in two parts of the split. Mend the split file."
            )
    return parts


def read_split(path: Path) -> Split:
    """Part of each case, from a split file. Raises UsageError (E_SPLIT) if it is none."""
    try:
        raw = dict(json.loads(path.read_text(encoding="utf-8")))
        pairs = [(str(case), part) for part in raw for case in raw[part]]
        good = bool(raw) and set(raw) <= set(SPLITS) and len({case for case, _ in pairs}) == len(pairs)
    except (OSError, ValueError, TypeError):
        good = False
    if not good:
        raise UsageError(
            "E_SPLIT", f"{path.name} is no split: lists of cases for train, validation and test, each once."
        )
    return dict(pairs)


def write_split(path: Path, split: Split) -> None:
    lists = {part: sorted(case for case, own in split.items() if own == part) for part in SPLITS}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(lists, indent=1) + "\n", encoding="utf-8")

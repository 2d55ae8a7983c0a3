"""Data sets in the layout they are published in, as data: where the files are and what their labels are called.

``presets/*.json``, one file per family. They were written from the data sets' descriptions and from what several public
programs expect; the sets themselves were not at hand, so the tests run on small folders made in these layouts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from TwoStageSegLib.strict_json import build, loads

PRESETS = Path(__file__).parent / "presets"
OWN = ("msd", "nnunet", "pairs", "dicom")
"""Layouts of anybody's files, beside the published sets."""

MSD = "msd-"  # presets of the Decathlon's tasks, which ``msd`` chooses by what dataset.json says: msd-liver, ...


@dataclass(frozen=True)
class Published:
    """One data set.

    Parameters
    ----------
    layout : ``files`` (image and label files whose names follow a pattern), ``json`` (a folder with ``dataset.json``)
        or ``dicom`` (a folder per patient).
    organs : the label values, label names, file names or ROI names that together are each organ (TG-263 name). Empty:
        every label there is, under its TG-263 name.
    image, labels : patterns with ``{case}``, ``{organ}`` and ``{ext}`` (see ``files``).
    test : regular expression of the cases that the data set itself holds out; "" if it has none.
    patient : regular expression whose first group is the patient in a case's name; "": every case is a patient.
    """

    title: str
    modality: str
    layout: str
    organs: dict[str, list[str]] = field(default_factory=dict)
    image: str = ""
    labels: str = ""
    test: str = ""
    patient: str = ""
    licence: str = ""
    attribution: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    note: str = ""

    def is_test(self, case: str) -> bool:
        return bool(self.test) and re.fullmatch(self.test, case) is not None

    def patient_of(self, case: str) -> str:
        found = re.search(self.patient, case) if self.patient else None
        return found.group(1) if found else case


@cache
def published() -> dict[str, Published]:
    """Every preset by name."""
    found: dict[str, Published] = {}
    for path in sorted(PRESETS.glob("*.json")):
        found |= build(dict[str, Published], loads(path.read_bytes()), path.name)
    return found


def known() -> tuple[str, ...]:
    """Every name of a layout or data set, as ``python -m training data`` takes it."""
    return (*OWN, *(name for name in published() if not name.startswith(MSD)))

"""Which reader a name on the command line means: a layout of your own files, or a published data set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from TwoStageSegLib.errors import UsageError

from . import dataset_json, dicom, files
from .published import Published, published
from .raw import RawCase

READERS = {"files": files.cases, "json": dataset_json.cases, "dicom": dicom.cases}


@dataclass(frozen=True)
class Wanted:
    """What a person says about a data set beyond its folder. ``names``: organ of each label."""

    modality: str = ""
    image: str = ""
    labels: str = ""
    patient: str = ""
    names: dict[str, str] | None = None


def open_dataset(layout: str, source: Path, wanted: Wanted) -> tuple[str, Published, Iterable[RawCase]]:
    """Name, description and cases of the data set in ``source``.

    Raises
    ------
    UsageError : E_LAYOUT if the folder is not there or not in that layout.
    """
    if not source.is_dir():
        raise UsageError("E_LAYOUT", f"There is no folder {source.name!r} there. Check --from.")
    if layout in ("msd", "nnunet"):
        spec = dataset_json.spec_of(source)
    elif layout == "pairs":
        spec = Published(
            source.name, wanted.modality, "files", image=wanted.image or "{case}{ext}",
            labels=wanted.labels or "{case}.seg.nrrd",
        )  # fmt: skip
    elif layout == "dicom":
        spec = Published(source.name, wanted.modality, "dicom")
    else:
        spec = published()[layout]
    spec = replace(spec, modality=wanted.modality or spec.modality, patient=wanted.patient or spec.patient)
    if spec.patient and re.compile(spec.patient).groups != 1:
        raise UsageError("E_LAYOUT", "--patient must hold one group in brackets: the patient in a case's name.")
    name = layout if layout in published() else re.sub(r"[^a-z0-9]+", "-", source.resolve().name.lower()).strip("-")
    return name or layout, spec, READERS[spec.layout](source, spec, wanted.names)


def names_of(pairs: Sequence[str]) -> dict[str, str] | None:
    """``LABEL=ORGAN`` as the command line gives them. Raises UsageError (E_NAMES)."""
    split = [pair.split("=", 1) for pair in pairs]
    if any(len(p) != 2 or not all(p) for p in split):
        raise UsageError("E_NAMES", "Write --names as LABEL=ORGAN, for example 1=Spleen 2=Liver.")
    return {label: organ for label, organ in split} or None

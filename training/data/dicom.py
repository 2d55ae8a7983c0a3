"""DICOM as clinics and TCIA hold it: a folder per patient with one CT series and one RTSTRUCT, however deep.

The CT passes the same gate as a user's (complete, straight, regular, in HU). Of several series the one is taken that
the structures name, else the one in their frame of reference; where that leaves a choice the patient is refused, not
guessed. Cases carry their folders' names: give folders names that identify nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from TwoStageSegLib.errors import InputRefused, UsageError
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.mask import Mask

from .files import Names, chosen
from .published import Published
from .raw import Labelled, RawCase
from .rtstruct import StructureSet, rasterise, read_structure_set


@dataclass(frozen=True)
class _Series:
    folder: Path
    uid: str
    frame_of_reference: str


def cases(source: Path, spec: Published, names: Names | None = None) -> Iterator[RawCase]:
    """Every folder of ``source`` that holds DICOM, at any depth; ``source`` itself if the files lie in it.

    Raises
    ------
    UsageError : E_LAYOUT if there is none, E_NO_DICOM without pydicom.
    """
    if find_spec("pydicom") is None:
        raise UsageError("E_NO_DICOM", "DICOM needs the Python package pydicom. Install it: pip install pydicom.")
    folders = sorted(p for p in source.iterdir() if p.is_dir() and p.name[:1] != ".")
    if any(_is_dicom(p) for p in source.iterdir() if p.is_file()):
        folders = [source.resolve()]
    patients = [folder for folder in folders if any(_is_dicom(p) for p in folder.rglob("*") if p.is_file())]
    if not patients:
        raise UsageError("E_LAYOUT", f"{source.name} holds no folders with DICOM files. Give the folder of patients.")
    for folder in patients:
        yield RawCase(folder.name, partial(_read, folder, spec, names or {}))


def _read(folder: Path, spec: Published, names: Names) -> Labelled:
    series, sets = _scan(folder)
    if len(sets) != 1:
        raise InputRefused("E_RTSTRUCT", f"The folder holds {len(sets)} RTSTRUCT files. Leave the one to learn from.")
    structures = read_structure_set(sets[0])
    one = _drawn_on(series, structures)
    volume = read_volume(one.folder)
    notices = list(volume.notices)
    masks: list[Mask] = []
    for organ, own in chosen(list(structures.contours), spec.organs, names).items():
        contours = [contour for name in own for contour in structures.contours[name]]
        if not contours:
            continue
        try:
            mask, odd = rasterise(organ, contours, volume.geometry)
        except InputRefused as error:
            notices.append(f"{error} It is unknown in this case.")
            continue
        masks.append(mask)
        notices += odd
    return Labelled(replace(volume, modality=volume.modality or spec.modality), masks, notices)


def _drawn_on(series: list[_Series], structures: StructureSet) -> _Series:
    """The series that the contours belong to. Raises InputRefused if that cannot be told."""
    named = [s for s in series if s.uid == structures.series]
    frame = structures.frame_of_reference
    fitting = [s for s in named or series if not frame or not s.frame_of_reference or s.frame_of_reference == frame]
    if not fitting:
        raise InputRefused(
            "E_FRAME", "The structures were drawn in another frame of reference than the images. Export them together."
        )
    if len(fitting) > 1:
        raise InputRefused("E_MIXED_SERIES", f"The structures fit {len(fitting)} series. Leave the one they belong to.")
    return fitting[0]


def _scan(folder: Path) -> tuple[list[_Series], list[Path]]:
    """The image series below a folder (one per folder of files and series) and its structure sets."""
    import pydicom

    series: dict[tuple[Path, str], _Series] = {}
    sets: list[Path] = []
    tags = ["Modality", "SeriesInstanceUID", "FrameOfReferenceUID"]
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if not _is_dicom(path):
            continue
        try:
            with path.open("rb") as stream:
                ds = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags)
            kind, uid = str(ds.get("Modality", "")), str(ds.get("SeriesInstanceUID", ""))
        except Exception:  # damaged: the gate says which, once its folder is read
            continue
        if kind == "RTSTRUCT":
            sets.append(path)
        elif kind in ("CT", "MR", "PT"):
            series[path.parent, uid] = _Series(path.parent, uid, str(ds.get("FrameOfReferenceUID", "") or ""))
    return list(series.values()), sets


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"

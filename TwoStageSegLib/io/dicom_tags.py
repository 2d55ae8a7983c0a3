"""What is read of a DICOM file's header: what the geometry gate needs, and never a patient's name, number or date.

pydicom reads the tags, SimpleITK (GDCM) the pixels. SimpleITK's own tags do not suffice: it cannot open an RTSTRUCT
beside the slices or a slice that is cut off, so that both would look alike and a damaged slice would be skipped.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused

TAGS = [
    *("SOPClassUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "ImageType", "NumberOfFrames"),
    *("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PixelSpacing", "ImagePositionPatient"),
    *("ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"),
]
NO_SCAN = {
    "RTSTRUCT",
    "RTPLAN",
    "RTDOSE",
    "RTRECORD",
    "RTIMAGE",
    "SEG",
    "SR",
    "PR",
    "KO",
    "REG",
    "FID",
    "DOC",
    "PLAN",
    "",
}
MAX_FILES = 20_000


@dataclass(frozen=True)
class Tags:
    """One file of a series. Positions in LPS mm; ``spacing`` is (between rows, between columns) in mm."""

    path: Path
    series: str
    frame_of_reference: str
    modality: str
    sop_class: str
    image_type: tuple[str, ...]
    frames: int
    rows: int
    columns: int
    samples: int
    spacing: tuple[float, ...]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    rescaled: bool
    complete: bool
    transfer_syntax: str


def scan_folder(folder: Path) -> tuple[list[Tags], list[str]]:
    """The images of a folder (not of folders within), and the modalities of other DICOM objects in it.

    Files that are not DICOM are passed over. Raises InputRefused for a DICOM file that cannot be understood.
    """
    images: list[Tags] = []
    others: list[str] = []
    files = sorted(p for p in folder.iterdir() if p.is_file())
    if len(files) > MAX_FILES:
        raise InputRefused("E_TOO_LARGE", f"The folder holds {len(files)} files; at most {MAX_FILES} are looked at.")
    for path in files:
        if not _is_dicom(path):
            continue
        try:
            found = _read(path)
        except InputRefused:
            raise
        except Exception:  # whatever a hostile or damaged header makes pydicom raise; its message may hold tags
            found = None
        if found is None:
            raise InputRefused(
                "E_READ",
                f"File {files.index(path) + 1} of {len(files)} (by name) is damaged DICOM. Export the series again.",
            )
        if isinstance(found, str):
            others.append(found)
        else:
            images.append(found)
    return images, others


def _read(path: Path) -> Tags | str:
    """The tags of an image, or the modality of another object (dose, contours, report, DICOMDIR)."""
    try:
        import pydicom
    except ImportError:
        raise InputRefused(
            "E_NO_DICOM", "DICOM needs the Python package pydicom. Install it, or save the scan as NRRD."
        ) from None

    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom quotes values
        header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=[*TAGS])
        left = path.stat().st_size - stream.tell()
        modality = str(header.get("Modality", "") or "")
        if modality in NO_SCAN:
            return modality or "no image"
        syntax = header.file_meta.TransferSyntaxUID
        rows, columns = int(header.Rows), int(header.Columns)
        samples, frames = int(header.get("SamplesPerPixel", 1) or 1), int(header.get("NumberOfFrames", 1) or 1)
        pixel_bytes = rows * columns * samples * frames * int(header.get("BitsAllocated", 16)) // 8
        return Tags(
            path=path,
            series=str(header.get("SeriesInstanceUID", "")),
            frame_of_reference=str(header.get("FrameOfReferenceUID", "") or ""),
            modality=modality,
            sop_class=str(header.get("SOPClassUID", "")),
            image_type=tuple(str(v).upper() for v in header.get("ImageType", None) or ()),
            frames=frames,
            rows=rows,
            columns=columns,
            samples=samples,
            spacing=_floats(header, "PixelSpacing"),
            position=_floats(header, "ImagePositionPatient"),
            orientation=_floats(header, "ImageOrientationPatient"),
            rescaled=header.get("RescaleSlope") is not None and header.get("RescaleIntercept") is not None,
            complete=bool(syntax.is_compressed or syntax.is_deflated) or left >= pixel_bytes,
            transfer_syntax=str(syntax.name),
        )


def _floats(header: Any, name: str) -> tuple[float, ...]:
    return tuple(float(v) for v in header.get(name, None) or ())


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"

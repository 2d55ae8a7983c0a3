"""What is read of a DICOM file's header: what the geometry gate needs, and never a patient's name, number or date.

pydicom reads the tags, SimpleITK (GDCM) the pixels. SimpleITK's own tags do not suffice: it cannot open an RTSTRUCT
beside the slices or a slice that is cut off, so that both would look alike and a damaged slice would be skipped.
"""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputRefused

TAGS = [
    *("SOPClassUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "ImageType", "NumberOfFrames"),
    *("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PixelSpacing", "ImagePositionPatient"),
    *("ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "PhotometricInterpretation"),
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
MAX_HEADER_BYTES = 2**26  # before the pixels of one slice: GDCM would take all of it into memory
SLICE_NAMES = (".dcm", ".ima", ".dicom")


@dataclass(frozen=True)
class Tags:
    """One file of a series. Positions in LPS mm; ``spacing`` is (between rows, between columns) in mm.

    ``rescale`` is "good", "none" or "bad" (not a number, slope 0). ``complete``: the pixels are all there;
    ``fitting``: they are as many as rows and columns say. ``inverted``: white is the smallest value.
    """

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
    rescale: str
    complete: bool
    fitting: bool
    inverted: bool
    transfer_syntax: str


def scan_folder(folder: Path) -> tuple[list[Tags], list[str]]:
    """The images of a folder (not of folders within), and the modalities of other DICOM objects in it."""
    files = sorted(p for p in folder.iterdir() if p.is_file())
    if len(files) > MAX_FILES:
        raise InputRefused("E_TOO_LARGE", f"The folder holds {len(files)} files; at most {MAX_FILES} are looked at.")
    return scan_files(files)


def scan_files(files: Sequence[Path]) -> tuple[list[Tags], list[str]]:
    """As ``scan_folder``, of these files. Files that are not DICOM are passed over.

    Raises InputRefused for a DICOM file that cannot be understood, and for one that should be a slice but is empty or
    has lost its beginning: passed over, a copy that stopped half-way would look like a shorter scan.
    """
    images: list[Tags] = []
    others: list[str] = []
    for path in files:
        if not _is_dicom(path):
            if _should_be_dicom(path):
                raise InputRefused(
                    "E_READ",
                    f"File {files.index(path) + 1} of {len(files)} (by name) is empty or has lost its beginning. "
                    "Copy or export the series again.",
                )
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
        modality = str(header.get("Modality", "") or "")
        if modality in NO_SCAN:
            return modality or "no image"
        if stream.tell() > MAX_HEADER_BYTES:
            raise InputRefused(
                "E_UNSAFE", f"A slice holds {stream.tell() / 1e6:.0f} MB beside its pixels. Export the series again."
            )
        syntax = header.file_meta.TransferSyntaxUID
        rows, columns = int(header.Rows), int(header.Columns)
        samples, frames = int(header.get("SamplesPerPixel", 1) or 1), int(header.get("NumberOfFrames", 1) or 1)
        pixel_bytes = rows * columns * samples * frames * int(header.get("BitsAllocated", 16)) // 8
        packed = bool(syntax.is_compressed or syntax.is_deflated)
        stated, there = (pixel_bytes, pixel_bytes) if packed else _pixel_bytes(stream, path.stat().st_size)
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
            rescale=_rescale(header.get("RescaleSlope"), header.get("RescaleIntercept")),
            complete=there >= min(stated, pixel_bytes),
            fitting=pixel_bytes == 0 or stated in (pixel_bytes, pixel_bytes + pixel_bytes % 2),
            inverted=str(header.get("PhotometricInterpretation", "") or "") == "MONOCHROME1",
            transfer_syntax=str(syntax.name),
        )


def _pixel_bytes(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Bytes of pixels as their element states, and as are there; ``stream`` stands before the element."""
    head = stream.read(12)
    if len(head) < 12:
        return 0, -1
    order = "<" if head[:4] == b"\xe0\x7f\x10\x00" else ">"
    explicit = head[4:6].isalpha()
    stated = struct.unpack_from(order + "I", head, 8 if explicit else 4)[0]
    return stated, size - stream.tell() + (0 if explicit else 4)


def _rescale(slope: Any, intercept: Any) -> str:
    if slope is None or intercept is None:
        return "none"
    return "good" if math.isfinite(slope) and math.isfinite(intercept) and slope != 0 else "bad"


def _floats(header: Any, name: str) -> tuple[float, ...]:
    return tuple(float(v) for v in header.get(name, None) or ())


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _should_be_dicom(path: Path) -> bool:
    """Named as a slice, or empty, and not a hidden file (macOS puts one beside every file on a foreign disk)."""
    named = path.suffix.lower() in SLICE_NAMES
    return not path.name.startswith(".") and (named or path.stat().st_size == 0)

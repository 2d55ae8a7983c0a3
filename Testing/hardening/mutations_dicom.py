"""Changes to a DICOM series: tags of one slice or of all, files of the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom

from .mutations import EITHER, SAME, TABLE, Change


def files(folder: Path) -> list[Path]:
    """The slices, feet to head."""
    return sorted(folder.glob("*.dcm"), key=lambda p: float(pydicom.dcmread(p, stop_before_pixels=True).SliceLocation))


def one(**tags) -> Change:
    return lambda folder: _set(files(folder)[3:4], tags)


def every(**tags) -> Change:
    return lambda folder: _set(files(folder), tags)


def _set(chosen: list[Path], tags: dict) -> None:
    for path in chosen:
        ds = pydicom.dcmread(path)
        for name, value in tags.items():
            if value is None and name in ds:
                delattr(ds, name)
            elif value is not None:
                setattr(ds, name, value(getattr(ds, name)) if callable(value) else value)
        ds.save_as(path)


def file(change: Callable[[Path], object], which: int = 3) -> Change:
    return lambda folder: change(files(folder)[which]) and None


def _dicom() -> None:
    def add(name: str, change: Change, *outcomes: str) -> None:
        TABLE["dicom"].append((name, outcomes, change))

    add("other names and numbers", every(PatientName="ZZCANARY", PatientID="ZZCANARY", InstanceNumber=1), SAME)
    add("no date, no study", every(StudyDate=None, StudyInstanceUID=None, AccessionNumber=None), SAME)
    add("a text beside", lambda f: (f / "notes.txt").write_text("ZZCANARY") and None, SAME)
    add("a hidden file of macOS", lambda f: (f / "._000000.dcm").write_bytes(b"\0\5\26\7" * 40) and None, SAME)
    add("other file names", file(lambda p: p.rename(p.with_name("ZZ last.dcm"))), SAME)
    add("a folder within", lambda f: (f / "more").mkdir(), SAME)
    add(
        "bytes behind the pixels",
        file(lambda p: p.write_bytes(p.read_bytes() + b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0abcd")),
        EITHER,
    )
    add("an empty file", file(lambda p: p.write_bytes(b"") or 1, -1), "E_READ")
    add("the beginning lost", file(lambda p: p.write_bytes(p.read_bytes()[132:]), -1), "E_READ")
    add("cut to 100 bytes", file(lambda p: p.write_bytes(p.read_bytes()[:100]), -1), "E_READ")
    add("cut in its tags", file(lambda p: p.write_bytes(p.read_bytes()[:700])), "E_READ", "E_TRUNCATED")
    add("two bytes less", file(lambda p: p.write_bytes(p.read_bytes()[:-2])), "E_TRUNCATED")
    add("a slice removed", file(lambda p: p.unlink() or 1), "E_MISSING_SLICE")
    add("a slice copied", file(lambda p: (p.parent / "copy.dcm").write_bytes(p.read_bytes())), "E_DUPLICATE_POSITION")
    add("a row more", one(Rows=lambda n: n + 1), "E_READ")
    add("half the columns", one(Columns=lambda n: n // 2), "E_READ")
    add("no rows", every(Rows=0), "E_EMPTY")
    add("8 bits", one(BitsAllocated=8), "E_READ")
    add("white is air", every(PhotometricInterpretation="MONOCHROME1"), "E_FORMAT")
    add("three samples", one(SamplesPerPixel=3), "E_COMPONENTS")
    add("two frames", one(NumberOfFrames=2), "E_MULTIFRAME")
    add("slope 0", one(RescaleSlope=0), "E_HU_OFFSET")
    add("slope NaN", one(RescaleSlope=float("nan")), "E_HU_OFFSET")
    add("no intercept", one(RescaleIntercept=None), "E_HU_OFFSET")
    add("another kind of object", one(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), "E_LOCALISER")
    add("a localiser", one(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "E_LOCALISER")
    add("another modality", one(Modality="PT"), "E_MIXED_SERIES")
    add("another series", one(SeriesInstanceUID="1.2.3"), "E_MIXED_SERIES")
    add("another frame of reference", one(FrameOfReferenceUID="1.2.3"), "E_MIXED_SERIES")
    add("another pixel size", one(PixelSpacing=lambda v: [v[0] * 1.1, v[1]]), "E_MIXED_SERIES")
    add(
        "turned by half a degree",
        one(ImageOrientationPatient=[0.99996, 0.00873, 0, -0.00873, 0.99996, 0]),
        "E_MIXED_SERIES",
    )
    add("moved along", one(ImagePositionPatient=lambda v: [v[0], v[1], v[2] + 1]), "E_SPACING")
    add("moved sideways", one(ImagePositionPatient=lambda v: [v[0] + 1, v[1], v[2]]), "E_TILT")
    add("a place that is no number", one(ImagePositionPatient=lambda v: [v[0], v[1], float("nan")]), "E_GEOMETRY")
    add("no place", one(ImagePositionPatient=None), "E_GEOMETRY")
    add("no orientation", every(ImageOrientationPatient=None), "E_GEOMETRY")
    add("pixel size 0", every(PixelSpacing=[0, 0]), "E_SPACING")
    add("one slice left", lambda f: [p.unlink() for p in files(f)[1:]] and None, "E_DIM")
    add("three slices left", lambda f: [p.unlink() for p in files(f)[3:]] and None, "E_TOO_FEW_SLICES")


_dicom()

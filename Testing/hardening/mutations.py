"""Changes to good files and what must come of each: "same" (the very voxels and grid), a refusal, or either.

Every entry works on any good file of its kind, real or synthetic. ``EITHER`` allows both outcomes where programs differ
in what they take; other voxels are never allowed.
"""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pydicom

SAME, EITHER = "same", "either"
Change = Callable[[Path], None]
KINDS = ("nii", "nii.gz", "nrrd", "mha", "dicom")
TABLE: dict[str, list[tuple[str, tuple[str, ...], Change]]] = {kind: [] for kind in KINDS}


# -- NIfTI: fields of the binary header (offset, struct format, values), little-endian, raw .nii


def put(offset: int, kind: str, *values) -> Change:
    def change(path: Path) -> None:
        raw = bytearray(path.read_bytes())
        struct.pack_into("<" + kind, raw, offset, *values)
        path.write_bytes(raw)

    return change


def scaled(offset: int, kind: str, change_value: Callable) -> Change:
    """A field replaced by a function of itself."""

    def change(path: Path) -> None:
        raw = bytearray(path.read_bytes())
        struct.pack_into("<" + kind, raw, offset, change_value(struct.unpack_from("<" + kind, raw, offset)[0]))
        path.write_bytes(raw)

    return change


def appended(data: bytes) -> Change:
    return lambda path: path.write_bytes(path.read_bytes() + data) and None


def repacked(pack: Callable[[bytes], bytes]) -> Change:
    return lambda path: path.write_bytes(pack(path.read_bytes())) and None


def flip_middle(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + bytes([data[half] ^ 0x10]) + data[half + 1 :]


def in_two(data: bytes) -> bytes:
    plain = gzip.decompress(data)
    return gzip.compress(plain[:9999], 1) + gzip.compress(plain[9999:], 1)


def _nifti() -> None:
    def add(name: str, change: Change, *outcomes: str) -> None:
        TABLE["nii"].append((name, outcomes, change))

    add("a patient's name as description", put(148, "80s", b"ZZCANARY^NAME"), SAME)
    add("names of other files and intents", put(228, "24s", b"../../x"), SAME)
    add("display range", put(124, "2f", 1e9, -1e9), SAME)
    add("slice times", put(136, "2f", 7.0, -3.0), SAME)
    add("garbage in unused dimensions", put(48, "4h", 1, -7, 9, 30000), SAME)
    add("garbage in unused spacings", put(92, "4f", float("nan"), -1, 0, 1e30), SAME)
    add("header size", put(0, "i", 347), "E_READ")
    add("header size of NIfTI-2", put(0, "i", 540), "E_FORMAT")
    add("magic", put(344, "4s", b"n+9\0"), "E_READ")
    add("magic of a pair", put(344, "4s", b"ni1\0"), "E_FORMAT")
    add("one slice less", scaled(46, "h", lambda n: n - 1), "E_READ")
    add("one slice more", scaled(46, "h", lambda n: n + 1), "E_TRUNCATED")
    add("one column less", scaled(42, "h", lambda n: n - 1), "E_READ")
    add("negative size", scaled(44, "h", lambda n: -n), "E_EMPTY")
    add("no dimension", put(40, "h", 0), "E_READ")
    add("nine dimensions", put(40, "h", 9), "E_READ")
    add("two dimensions", put(40, "h", 2), "E_DIM")
    add("bits per voxel", put(72, "h", 12), "E_FORMAT")
    add("unknown type", put(70, "2h", 77, 16), "E_FORMAT")
    add("a wider type", put(70, "2h", 16, 32), "E_TRUNCATED")
    add("a narrower type", put(70, "2h", 2, 8), "E_READ")
    add("voxels at 0", put(108, "f", 0.0), "E_READ")
    add("voxels at half a byte", put(108, "f", 352.5), "E_READ")
    add("voxels at NaN", put(108, "f", float("nan")), "E_READ")
    add("voxels at 900 MB", put(108, "f", 9e8), "E_READ")
    add("voxels two bytes later", scaled(108, "f", lambda v: v + 2), "E_TRUNCATED")
    add("no slope", put(112, "f", float("nan")), SAME)
    add("slope without intercept", put(112, "2f", 1.0, float("nan")), "E_READ")
    add("slope of nothing", put(112, "2f", 1e-30, 0.0), "E_READ")
    add("spacing 0", put(80, "f", 0.0), "E_SPACING")
    add("spacing NaN", put(88, "f", float("nan")), "E_SPACING")
    add("spacing unlike the placement", scaled(80, "f", lambda v: v * 1.5), "E_GEOMETRY")
    add("placement NaN", put(280, "f", float("nan")), "E_GEOMETRY")
    add("placement flat", put(312, "3f", 0.0, 0.0, 0.0), "E_GEOMETRY", "E_TILT")
    add("placed twice, mirrored", scaled(76, "f", lambda v: -1.0 if v >= 0 else 1.0), "E_GEOMETRY")
    add("a few bytes behind", appended(b"\0" * 10), SAME)
    add("a row behind", appended(b"\0" * 4096), "E_READ")
    add("gzip under a plain name", repacked(gzip.compress), EITHER)


def _nifti_gz() -> None:
    def add(name: str, change: Callable[[bytes], bytes], *outcomes: str) -> None:
        TABLE["nii.gz"].append((name, outcomes, repacked(change)))

    add("another level", lambda d: gzip.compress(gzip.decompress(d), 9), SAME)
    add("a name and a time inside", lambda d: d[:3] + b"\x08" + d[4:10] + b"ZZCANARY.nii\0" + d[10:], EITHER)
    add("in two pieces", in_two, SAME)
    add("not packed at all", gzip.decompress, SAME)
    add("packed twice", gzip.compress, "E_READ")
    add("half", lambda d: d[: len(d) // 2], "E_TRUNCATED")
    add("cut in its checksum", lambda d: d[:-6], "E_TRUNCATED")
    add("another checksum", lambda d: d[:-8] + b"1234" + d[-4:], "E_TRUNCATED")
    add("another length", lambda d: d[:-4] + b"1234", "E_TRUNCATED")
    add("a damaged middle", flip_middle, "E_TRUNCATED", "E_READ")
    add("rubbish behind", lambda d: d + b"rubbish", "E_TRUNCATED")
    add("zeros behind", lambda d: d + b"\0" * 512, EITHER)
    add("a row of voxels more", lambda d: gzip.compress(gzip.decompress(d) + b"\0" * 8192, 1), "E_READ")
    add("a bomb behind", lambda d: d + gzip.compress(bytes(2**27), 9), "E_READ")
    add("the magic alone", lambda d: d[:2], "E_TRUNCATED")


# -- text headers (NRRD, MetaImage): regular expressions on the lines before the voxels


def line(pattern: bytes, new: bytes) -> Change:
    """Replace in the header; the pattern must occur."""

    def change(path: Path) -> None:
        data = path.read_bytes()
        end = data.index(b"\n\n") if data.startswith(b"NRRD") else data.index(b"LOCAL\n") + 6
        header, count = re.subn(pattern, new, data[:end], count=1, flags=re.MULTILINE)
        assert count, pattern
        path.write_bytes(header + data[end:])

    return change


def _nrrd() -> None:
    def add(name: str, change: Change, *outcomes: str) -> None:
        TABLE["nrrd"].append((name, outcomes, change))

    add("comments", line(rb"^type:", b"# ZZCANARY^NAME\ntype:"), SAME)
    add("free keys", line(rb"^type:", b"PatientName:=ZZCANARY^NAME\nsizes:=1 2 3\ntype:"), SAME)
    add("content", line(rb"^type:", b"content: a scan of ZZCANARY\ntype:"), SAME)
    add("another order of fields", line(rb"^(type: .*)\n(dimension: .*)$", rb"\2\n\1"), SAME)
    add("no magic", line(rb"^NRRD", b"NRRE"), "E_READ")
    add("a field twice", line(rb"^(sizes: .*)$", rb"\1\n\1"), "E_READ")
    add("no type", line(rb"^type:", b"typo:"), "E_READ")
    add("no sizes", line(rb"^sizes:", b"sites:"), "E_READ")
    add("another dimension", line(rb"^dimension: 3", b"dimension: 4"), "E_READ")
    add("one slice less", line(rb"^(sizes: \d+ \d+) \d+", rb"\1 9"), "E_READ")
    add("one slice more", line(rb"^(sizes: \d+ \d+) \d+", rb"\1 999"), "E_TRUNCATED")
    add("negative size", line(rb"^sizes: ", b"sizes: -"), "E_EMPTY")
    add("sizes with an underscore", line(rb"^(sizes: \d)(\d)", rb"\1_\2"), "E_READ")
    add("sizes in other digits", line(rb"^sizes: \d", "sizes: ２".encode()), "E_READ")
    add("sizes in hexadecimal", line(rb"^sizes: ", b"sizes: 0x"), "E_READ")
    add("sizes without blank", line(rb"^sizes: ", b"sizes:"), "E_READ")
    add("a wider type", line(rb"^type: .*", b"type: double"), "E_TRUNCATED")
    add("a narrower type", line(rb"^type: .*", b"type: uchar"), "E_READ")
    add("unknown type", line(rb"^type: .*", b"type: block"), "E_FORMAT")
    add("unknown packing", line(rb"^encoding: .*", b"encoding: zstd"), "E_TRUNCATED", "E_GEOMETRY")
    add("another packing", line(rb"^encoding: .*", b"encoding: gzip9"), "E_TRUNCATED", "E_GEOMETRY")
    add("colour", line(rb"^kinds: .*", b"kinds: vector domain domain"), "E_COMPONENTS")
    add("no directions", line(rb"^space directions:.*\n", b""), "E_SPACING")
    add("two directions", line(rb"^(space directions: \S+ \S+) .*", rb"\1"), "E_GEOMETRY")
    add("directions that are no numbers", line(rb"^(space directions: \()[^,]*", rb"\1x"), "E_READ")
    add("directions with a NaN", line(rb"^(space directions: \()[^,]*", rb"\1nan"), "E_SPACING")
    add("directions with an infinity", line(rb"^(space directions: \()[^,]*", rb"\1inf"), "E_SPACING")
    add("sheared directions", line(rb"^(space directions: \([^,]*),[^,]*", rb"\1,1.7"), "E_TILT")
    add("origin NaN", line(rb"^(space origin: \()[^,]*", rb"\1nan"), "E_GEOMETRY")
    add("origin with two numbers", line(rb"^space origin: .*", b"space origin: (1,2)"), "E_GEOMETRY")
    add("voxels in another folder", line(rb"^type:", b"data file: ../../../etc/passwd\ntype:"), "E_UNSAFE")
    add("voxels in many files", line(rb"^type:", b"data file: LIST\ntype:"), "E_FORMAT")
    add("voxels in a file that is not there", line(rb"^type:", b"data file: x.raw\ntype:"), "E_READ")
    add("a null byte", line(rb"^kinds", b"kin\0ds"), "E_READ")
    add("a header of 2 MB", line(rb"^type:", b"# " + b"x" * 2_000_000 + b"\ntype:"), "E_UNSAFE", "E_READ")
    add(
        "lines end as on Windows",
        repacked(lambda d: d.replace(b"\n", b"\r\n", d[: d.index(b"\n\n")].count(b"\n"))),
        EITHER,
    )
    add("a blank line too early", line(rb"^(type: .*)$", rb"\1\n"), "E_READ")


def _meta() -> None:
    def add(name: str, change: Change, *outcomes: str) -> None:
        TABLE["mha"].append((name, outcomes, change))

    add("a comment", line(rb"^NDims", b"Comment = ZZCANARY^NAME\nNDims"), SAME)
    add("unknown fields", line(rb"^DimSize", b"PatientName = ZZCANARY\nDimSize"), SAME)
    add("another name of the origin", line(rb"^Offset", b"Position"), SAME)
    add("93 dimensions (breaks ITK's memory)", line(rb"^NDims = 3", b"NDims = 93"), "E_READ")
    add("no dimensions", line(rb"^NDims.*\n", b""), "E_READ")
    add("a field twice", line(rb"^(DimSize.*)$", rb"\1\n\1"), "E_READ")
    add("two origins", line(rb"^Offset", b"Position = 1 2 3\nOffset"), "E_READ")
    add("one slice less", line(rb"^(DimSize = \d+ \d+) \d+", rb"\1 9"), "E_READ")
    add("one slice more", line(rb"^(DimSize = \d+ \d+) \d+", rb"\1 999"), "E_TRUNCATED")
    add("negative size", line(rb"^DimSize = ", b"DimSize = -"), "E_EMPTY")
    add("a comma between sizes", line(rb"^(DimSize = \d+) ", rb"\1,"), "E_READ")
    add("a wider type", line(rb"MET_SHORT", b"MET_DOUBLE"), "E_TRUNCATED")
    add("unknown type", line(rb"MET_SHORT", b"MET_STRING"), "E_FORMAT")
    add("three values per voxel", line(rb"^DimSize", b"ElementNumberOfChannels = 3\nDimSize"), "E_COMPONENTS")
    add("no spacing", line(rb"^ElementSpacing.*\n", b""), "E_SPACING")
    add("spacing of two numbers", line(rb"^(ElementSpacing = \S+ \S+) .*", rb"\1"), "E_SPACING")
    add("spacing inf", line(rb"^(ElementSpacing = )\S+", rb"\1inf"), "E_SPACING")
    add("direction of eight numbers", line(rb"^(TransformMatrix = .*) \S+$", rb"\1"), "E_GEOMETRY")
    add("direction with a NaN", line(rb"^(TransformMatrix = )\S+", rb"\1nan"), "E_SPACING", "E_GEOMETRY")
    add("direction of nothing", line(rb"^TransformMatrix = .*", b"TransformMatrix = 0 0 0 0 0 0 0 0 0"), "E_SPACING")
    add("origin inf", line(rb"^(Offset = )\S+", rb"\1-inf"), "E_GEOMETRY")
    add("origin of two numbers", line(rb"^(Offset = \S+ \S+) .*", rb"\1"), "E_GEOMETRY")
    add("neither true nor false", line(rb"^CompressedData = \w+", b"CompressedData = perhaps"), "E_READ")
    add("not binary", line(rb"^BinaryData = True", b"BinaryData = False"), "E_FORMAT")
    add("a header before the voxels", line(rb"^DimSize", b"HeaderSize = 77\nDimSize"), "E_FORMAT")
    add("compressed, it says", line(rb"^CompressedData = \w+", b"CompressedData = True"), "E_TRUNCATED")
    add("voxels in another folder", line(rb"LOCAL", b"/etc/passwd"), "E_UNSAFE")
    add("voxels in a list", line(rb"LOCAL", b"LIST"), "E_FORMAT")
    add("voxels nowhere", line(rb"LOCAL", b"lOCAL"), "E_READ")
    add("a null byte", line(rb"^Offset", b"Off\0set"), "E_READ")
    add("a row behind", appended(b"\0" * 8192), "E_READ")


# -- DICOM: tags of one slice or of all, files of the folder


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


for fill in (_nifti, _nifti_gz, _nrrd, _meta, _dicom):
    fill()

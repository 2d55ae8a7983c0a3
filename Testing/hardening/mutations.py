"""Changes to good files and what must come of each: "same" (the very voxels and grid), a refusal, or either.

Every entry works on any good file of its kind, real or synthetic. ``EITHER`` allows both outcomes where programs differ
in what they take; other voxels are never allowed.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

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


_nifti()
_nifti_gz()

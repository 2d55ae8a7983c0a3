"""Changes to the text headers of NRRD and MetaImage files: regular expressions on the lines before the voxels."""

from __future__ import annotations

import re
from pathlib import Path

from .mutations import EITHER, SAME, TABLE, Change, appended, repacked


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


_nrrd()
_meta()

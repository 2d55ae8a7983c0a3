"""As much of the NRRD format as a Slicer segmentation needs, 'list' axis included. Numbers and text, no Slicer terms.

Format: http://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry

_TYPES = {
    "u1": ("unsigned char", "uchar", "uint8", "uint8_t"),
    "i1": ("signed char", "int8", "int8_t"),
    "u2": ("unsigned short", "unsigned short int", "ushort", "uint16", "uint16_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u4": ("unsigned int", "uint", "uint32", "uint32_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "f4": ("float",),
    "f8": ("double",),
}
# Slicer writes LPS; other programs write the same grid in RAS or LAS. The factors turn it into LPS.
_SPACES = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_MAX_HEADER_BYTES = 4_000_000


@dataclass(frozen=True)
class Header:
    """``fields`` of the format (``sizes: ...``, keys in lower case) and free ``keys`` (``name:=value``)."""

    fields: Mapping[str, str]
    keys: Mapping[str, str]


def header_bytes(geometry: Geometry, layers: int, keys: Iterable[tuple[str, str]]) -> bytes:
    """The header of a gzip-compressed uint8 file: ``(z, y, x)`` voxels, or ``(z, y, x, layer)`` if ``layers`` > 1."""
    columns = geometry.matrix[:3, :3].T
    directions = [_vector(c) for c in columns]
    z, y, x = geometry.shape_zyx
    listed = layers > 1
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        "type: unsigned char",
        f"dimension: {3 + listed}",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in ([layers] if listed else []) + [x, y, z]),
        "space directions: " + " ".join((["none"] if listed else []) + directions),
        "kinds: " + ("list " if listed else "") + "domain domain domain",
        "encoding: gzip",
        "space origin: " + _vector(geometry.origin_lps),
    ]
    lines += [f"{_escaped(key)}:={_escaped(value)}" for key, value in keys]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def read_nrrd(path: Path) -> tuple[Header, NDArray]:
    """Header and voxels of an attached raw or gzip NRRD; array axes slowest first (the reverse of ``sizes``).

    Raises
    ------
    InputRefused
        ``E_FILE`` if the file cannot be opened, ``E_SEG`` if it is not such a NRRD, is cut short or is damaged.
    """
    try:
        with path.open("rb") as file:
            header = _read_header(file)
            return header, _read_voxels(file, header)
    except OSError as error:  # gzip.BadGzipFile is one, without an errno
        if error.errno is None:
            raise refused("its compressed data are damaged") from error
        raise InputRefused(
            "E_FILE", f"Cannot open the segmentation {path}: {error.strerror}. Check the name."
        ) from error
    except (EOFError, zlib.error) as error:
        raise refused("its compressed data are cut short or damaged") from error


def header_geometry(header: Header) -> tuple[Geometry, int | None]:
    """The 3D grid of a header, and which of its axes (in the order of ``sizes``) is the list axis, None if 3D."""
    try:
        entries = re.findall(r"none|\([^)]*\)", header.fields["space directions"].lower())
        factors = np.asarray(_SPACES[header.fields["space"].strip().lower()])
        sizes = [int(n) for n in header.fields["sizes"].split()]
        vectors = [np.asarray(_numbers(e)) * factors for e in entries if e != "none"]
        origin = np.asarray(_numbers(header.fields["space origin"])) * factors
    except (KeyError, ValueError) as error:
        raise refused("its header does not say where the voxels are (space, space directions, space origin)") from error
    listed = [i for i, e in enumerate(entries) if e == "none"]
    if len(entries) != len(sizes) or len(vectors) != 3 or len(listed) > 1:
        raise refused(
            f"it has {len(sizes)} axes, {len(vectors)} of them in space; 3 in space and one of layers are known"
        )
    x, y, z = (n for i, n in enumerate(sizes) if i not in listed)
    spacing = [float(np.linalg.norm(v)) for v in vectors]
    if min(spacing) <= 0 or not np.isfinite(spacing).all():
        raise refused("a voxel has no size along one axis")
    direction = np.column_stack([v / s for v, s in zip(vectors, spacing, strict=True)]) + 0.0
    rows = [(float(r[0]), float(r[1]), float(r[2])) for r in direction]
    place = (float(origin[0]), float(origin[1]), float(origin[2]))
    geometry = Geometry((z, y, x), place, (spacing[0], spacing[1], spacing[2]), tuple(rows))
    return geometry, (listed[0] if listed else None)


def refused(reason: str) -> InputRefused:
    """The error for a file that is no segmentation we can read."""
    return InputRefused(
        "E_SEG", f"The segmentation file cannot be used: {reason}. Save it again from Slicer as .seg.nrrd."
    )


def _read_header(file: BinaryIO) -> Header:
    if not file.readline(20).startswith(b"NRRD000"):
        raise refused("it is not a NRRD file")
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    left = _MAX_HEADER_BYTES
    while line := file.readline(left):
        left -= len(line)
        if left <= 0:
            raise refused("its header does not end")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            return Header(fields, keys)
        if text.startswith("#"):
            continue
        key, mark, value = text.partition(":=")
        if mark:
            keys[_unescaped(key)] = _unescaped(value)
        else:
            key, _, value = text.partition(":")
            fields[key.strip().lower()] = value.strip()
    raise refused("it holds a header but no voxels")


def _read_voxels(file: BinaryIO, header: Header) -> NDArray:
    fields = header.fields
    if "data file" in fields or "datafile" in fields:
        raise refused("its voxels are in another file")
    code = next((c for c, names in _TYPES.items() if fields.get("type", "").lower() in names), None)
    try:
        sizes = [int(n) for n in fields["sizes"].split()]
    except (KeyError, ValueError) as error:
        raise refused("its header has no sizes") from error
    if code is None or not sizes or min(sizes) < 1:
        raise refused(f"voxels of type {fields.get('type', '')[:30]!r} and sizes {sizes[:5]} are not known")
    dtype = np.dtype(code).newbyteorder(">" if fields.get("endian", "little").lower() == "big" else "<")
    expected = math.prod(sizes) * dtype.itemsize
    encoding = fields.get("encoding", "").lower()
    if encoding in ("gzip", "gz"):
        data = gzip.GzipFile(fileobj=file).read(expected)  # never more than the header promised, whatever is packed
    elif encoding == "raw":
        data = file.read(expected)
    else:
        raise refused(f"its encoding {encoding[:20]!r} is not known")
    if len(data) != expected:
        raise refused(f"it holds {len(data)} of {expected} bytes of voxels")
    return np.frombuffer(data, dtype).reshape(sizes[::-1])


def _numbers(text: str) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in text.strip().strip("()").split(","))
    return x, y, z


def _vector(values: Iterable[float]) -> str:
    return "(" + ",".join(repr(float(v) + 0.0) for v in values) + ")"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", " ").replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)

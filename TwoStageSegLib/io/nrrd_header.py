"""The text header of a NRRD file (.nrrd, .nhdr), read strictly. Format: https://teem.sourceforge.net/nrrd/format.html"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from .header import (
    COMMA,
    CONTROL,
    DAMAGED,
    MAX_HEADER_BYTES,
    NO_PLACE,
    Header,
    beside,
    check_origin,
    numbers,
    whole_numbers,
)
from .plausible import check_shape

DTYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
PACKING = {"raw": "raw", "gz": "gzip", "gzip": "gzip"}
ANATOMICAL = {
    **dict.fromkeys(("right-anterior-superior", "ras", "left-posterior-superior", "lps")),
    **dict.fromkeys(("left-anterior-superior", "las")),
}
FIELDS = {
    *("type", "dimension", "sizes", "encoding", "endian", "kinds", "data file", "datafile", "line skip", "byte skip"),
    *("space", "space directions", "space origin", "spacings"),
}
COLOUR_KINDS = ("color", "vector", "point", "normal", "gradient", "complex", "quaternion", "matrix", "2d-", "3d-")


def nrrd_header(path: Path) -> Header:
    """Parse and check the header of a NRRD file. Raises InputRefused with the field that is missing or wrong."""
    fields, length = _fields(path)
    for name in ("type", "dimension", "sizes", "encoding"):
        if name not in fields:
            raise InputRefused("E_READ", f"{path.name} lacks the NRRD field {name!r}. {DAMAGED}")
    sizes = whole_numbers(fields["sizes"], path, "sizes")
    if whole_numbers(fields["dimension"], path, "dimension") != (len(sizes),):
        raise InputRefused("E_READ", f"The fields 'dimension' and 'sizes' of {path.name} disagree. {DAMAGED}")
    kind = DTYPES.get(fields["type"].lower())
    if kind is None:
        what = fields["type"][:20]
        raise InputRefused("E_FORMAT", f"{path.name} has voxels of the type {what!r}, which is not supported.")
    components = _components(fields.get("kinds", "").lower().split(), sizes)
    shape = sizes[1:] if components > 1 else sizes
    check_shape(shape, components)
    detached = fields.get("data file") or fields.get("datafile")
    check_origin(fields.get("space origin", "0").strip("()"), path, COMMA)
    vectors, notices = _vectors(fields, path)
    packing = PACKING.get(fields["encoding"].lower(), "other")
    header = Header(
        shape_xyz=shape,
        components=components,
        dtype=np.dtype((">" if fields.get("endian", "little").lower() == "big" else "<") + kind),
        vectors=vectors,
        data=beside(path, detached) if detached else path,
        offset=0 if detached else length,
        packing="other" if "line skip" in fields or "byte skip" in fields else packing,
        notices=notices,
    )
    header.check()
    return header


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields by lower-case name, and the number of bytes up to and including the blank line."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        if not stream.readline(100).startswith(b"NRRD"):
            raise InputRefused("E_READ", f"{path.name} is not a NRRD file, whatever its name says. {DAMAGED}")
        while line := stream.readline(MAX_HEADER_BYTES):
            if stream.tell() > MAX_HEADER_BYTES:
                raise InputRefused("E_UNSAFE", f"The header of {path.name} is longer than {MAX_HEADER_BYTES} bytes.")
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                break
            if CONTROL.search(text):
                raise InputRefused("E_READ", f"The header of {path.name} is damaged. {DAMAGED}")
            if match := re.match(r"([A-Za-z][A-Za-z ]*): (.*)", text):
                name = match[1].lower()
                if name in fields:
                    raise InputRefused("E_READ", f"{path.name} has the field {name!r} twice. {DAMAGED}")
                if name in FIELDS:
                    fields[name] = match[2].strip()
        return fields, stream.tell()


def _components(kinds: list[str], sizes: tuple[int, ...]) -> int:
    """Values per voxel: the first axis' size if its kind is a colour or vector, else 1."""
    if len(kinds) == len(sizes) > 1 and any(k in kinds[0] for k in COLOUR_KINDS):
        return sizes[0]
    return 1


def _vectors(fields: dict[str, str], path: Path) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Columns of the steps along x, y, z, and what is odd about them."""
    if "space directions" not in fields:
        spacings = numbers(fields.get("spacings", "nan"), path, "spacings")
        if len(spacings) != 3 or any(not math.isfinite(s) or s <= 0 for s in spacings):
            raise InputRefused(
                "E_SPACING", f"The voxel spacing of {path.name} is missing or not positive. Export the image again."
            )
        return np.diag(spacings), (NO_PLACE,)
    found = re.findall(r"\(([^)]*)\)", fields["space directions"])
    rows = [numbers(text.strip(), path, "space directions", COMMA) for text in found]
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise InputRefused(
            "E_GEOMETRY", f"The field 'space directions' of {path.name} needs three directions. {DAMAGED}"
        )
    known = fields.get("space", "").lower() in ANATOMICAL and "space origin" in fields
    odd = () if known else (NO_PLACE,)
    return np.array(rows).T, odd

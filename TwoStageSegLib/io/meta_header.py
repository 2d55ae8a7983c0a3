"""The text header of a MetaImage file (.mha, .mhd), read strictly. Format: https://itk.org/Wiki/ITK/MetaIO/Documentation

ITK is not asked where the voxels lie: its reader writes beyond its arrays if a header says 93 dimensions.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from .header import CONTROL, DAMAGED, MAX_HEADER_BYTES, NO_PLACE, Header, beside, check_origin, numbers, whole_numbers
from .plausible import check_shape

DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


SPACINGS, ORIGINS = ("ElementSpacing", "ElementSize"), ("Offset", "Position", "Origin")
DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")


def meta_header(path: Path) -> Header:
    """Parse and check the header of a MetaImage file. Raises InputRefused with the field that is missing or wrong."""
    fields, length = _fields(path)
    for name in ("NDims", "DimSize", "ElementType", "ElementDataFile"):
        if name not in fields:
            raise InputRefused("E_READ", f"{path.name} lacks the MetaImage field {name!r}. {DAMAGED}")
    shape = whole_numbers(fields["DimSize"], path, "DimSize")
    if whole_numbers(fields["NDims"], path, "NDims") != (len(shape),):
        raise InputRefused("E_READ", f"The fields 'NDims' and 'DimSize' of {path.name} disagree. {DAMAGED}")
    kind = DTYPES.get(fields["ElementType"])
    if kind is None:
        what = fields["ElementType"][:20]
        raise InputRefused("E_FORMAT", f"{path.name} has voxels of the type {what!r}, which is not supported.")
    swapped = _true(fields, "BinaryDataByteOrderMSB", path) or _true(fields, "ElementByteOrderMSB", path)
    data = fields["ElementDataFile"]
    local = data in ("LOCAL", "Local", "local")
    if not _true(fields, "BinaryData", path, "True") or fields.get("HeaderSize", "0") != "0":
        raise InputRefused(
            "E_FORMAT", f"{path.name} keeps its voxels as text or behind another header. Save it as one .mha file."
        )
    components = whole_numbers(fields.get("ElementNumberOfChannels", "1"), path, "ElementNumberOfChannels")[0]
    check_shape(shape, components)
    vectors, grid = _grid(fields, path, (shape[0], shape[1], shape[2]))
    header = Header(
        shape_xyz=shape,
        components=components,
        dtype=np.dtype((">" if swapped else "<") + kind),
        vectors=vectors,
        data=path if local else beside(path, data),
        offset=length if local else 0,
        packing="zlib" if _true(fields, "CompressedData", path) else "raw",
        grid=grid,
        notices=() if set(fields) & set(ORIGINS) and set(fields) & set(DIRECTIONS) else (NO_PLACE,),
    )
    header.check()
    return header


def _true(fields: dict[str, str], name: str, path: Path, default: str = "False") -> bool:
    value = fields.get(name, default).lower()
    if value not in ("true", "false", "1", "0"):
        raise InputRefused("E_READ", f"The field {name!r} of {path.name} is neither True nor False. {DAMAGED}")
    return value in ("true", "1")


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields, and the number of bytes up to and including ``ElementDataFile``, its last line."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(MAX_HEADER_BYTES):
            key, equals, value = line.decode("utf-8", "replace").rstrip("\r\n").partition("=")
            if not equals or stream.tell() > MAX_HEADER_BYTES or CONTROL.search(key + value):
                raise InputRefused("E_READ", f"{path.name} is not a MetaImage file, whatever its name says. {DAMAGED}")
            key = key.strip(" \t")
            if key in fields:
                raise InputRefused("E_READ", f"{path.name} has the field {key[:40]!r} twice. {DAMAGED}")
            fields[key] = value.strip(" \t")
            if key == "ElementDataFile":
                break
        return fields, stream.tell()


def _grid(fields: dict[str, str], path: Path, shape_xyz: tuple[int, int, int]) -> tuple[NDArray[np.float64], Geometry]:
    """Columns of the steps along x, y, z, and the grid. A field that is missing has ITK's default."""
    spacing = numbers(_one_of(SPACINGS, fields, path) or "nan", path, "ElementSpacing")
    if len(spacing) != 3 or any(not math.isfinite(s) or s <= 0 for s in spacing):
        raise InputRefused(
            "E_SPACING", f"The voxel spacing of {path.name} is missing or not positive. Export the image again."
        )
    matrix = numbers(_one_of(DIRECTIONS, fields, path) or "1 0 0 0 1 0 0 0 1", path, "TransformMatrix")
    place = _one_of(ORIGINS, fields, path) or "0 0 0"
    check_origin(place, path)
    origin = numbers(place, path, "Offset")
    if len(matrix) != 9 or len(origin) != 3:
        raise InputRefused(
            "E_GEOMETRY", f"{path.name} needs three numbers for 'Offset' and nine for 'TransformMatrix'. {DAMAGED}"
        )
    direction = np.array(matrix).reshape(3, 3).T  # the file lists the axes one after another
    vectors = direction * spacing
    length = np.linalg.norm(direction, axis=0)
    if np.isfinite(length).all() and (length > 0).all() and np.abs(length - 1).max() > 1e-6:
        direction, spacing = direction / length, list(spacing * length)
    (ox, oy, oz), (sx, sy, sz), (z, y, x) = origin, (float(s) for s in spacing), shape_xyz[::-1]
    rows = tuple((float(r[0]), float(r[1]), float(r[2])) for r in direction + 0.0)
    return vectors, Geometry((z, y, x), (ox, oy, oz), (sx, sy, sz), rows)


def _one_of(names: tuple[str, ...], fields: dict[str, str], path: Path) -> str | None:
    """The value of a field that has several names. Refuses two of them that differ (but a size is no spacing)."""
    given = [fields[name] for name in names if name in fields]
    if len(set(given)) > 1 and names is not SPACINGS:
        raise InputRefused("E_READ", f"{path.name} gives {names[0]!r} under two names, differently. {DAMAGED}")
    return given[0] if given else None

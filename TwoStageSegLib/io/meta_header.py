"""The text header of a MetaImage file (.mha, .mhd), read strictly. Format: https://itk.org/Wiki/ITK/MetaIO/Documentation"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from .header import DAMAGED, MAX_HEADER_BYTES, Header, beside, check_origin, numbers, whole_numbers

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


def meta_header(path: Path) -> Header:
    """Parse and check the header of a MetaImage file. Raises InputRefused with the field that is missing or wrong."""
    fields, length = _fields(path)
    for name in ("DimSize", "ElementType", "ElementDataFile"):
        if name not in fields:
            raise InputRefused("E_READ", f"{path.name} lacks the MetaImage field {name!r}. {DAMAGED}")
    shape = whole_numbers(fields["DimSize"], path, "DimSize")
    kind = DTYPES.get(fields["ElementType"])
    if kind is None:
        what = fields["ElementType"][:20]
        raise InputRefused("E_FORMAT", f"{path.name} has voxels of the type {what!r}, which is not supported.")
    swapped = _true(fields, "BinaryDataByteOrderMSB") or _true(fields, "ElementByteOrderMSB")
    data = fields["ElementDataFile"]
    local = data.upper() == "LOCAL"
    binary = _true(fields, "BinaryData", "True") and "HeaderSize" not in fields
    header = Header(
        shape_xyz=shape,
        components=whole_numbers(fields.get("ElementNumberOfChannels", "1"), path, "ElementNumberOfChannels")[0],
        dtype=np.dtype((">" if swapped else "<") + kind),
        vectors=_vectors(fields, path) if len(shape) == 3 else None,
        data=path if local else beside(path, data),
        offset=length if local else 0,
        packing="other" if not binary else "zlib" if _true(fields, "CompressedData") else "raw",
    )
    header.check()
    return header


def _true(fields: dict[str, str], name: str, default: str = "False") -> bool:
    return fields.get(name, default).lower() in ("true", "1")


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields, and the number of bytes up to and including ``ElementDataFile``, its last line."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(MAX_HEADER_BYTES):
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if not equals or stream.tell() > MAX_HEADER_BYTES:
                raise InputRefused("E_READ", f"{path.name} is not a MetaImage file, whatever its name says. {DAMAGED}")
            if key.strip() in fields:
                raise InputRefused("E_READ", f"{path.name} has the field {key.strip()[:40]!r} twice. {DAMAGED}")
            fields[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                break
        return fields, stream.tell()


def _vectors(fields: dict[str, str], path: Path) -> NDArray[np.float64]:
    """Columns of the steps along x, y, z."""
    spacing = numbers(fields.get("ElementSpacing") or fields.get("ElementSize") or "1 1 1", path, "ElementSpacing")
    if len(spacing) != 3 or any(not math.isfinite(s) or s <= 0 for s in spacing):
        raise InputRefused("E_SPACING", f"The voxel spacing of {path.name} is not positive. Export the image again.")
    text = next((fields[k] for k in ("TransformMatrix", "Rotation", "Orientation") if k in fields), "1 0 0 0 1 0 0 0 1")
    for name in ("Offset", "Position", "Origin"):
        check_origin(fields.get(name, "0"), path)
    matrix = numbers(text, path, "TransformMatrix")
    if len(matrix) != 9:
        raise InputRefused("E_GEOMETRY", f"The field 'TransformMatrix' of {path.name} needs nine numbers. {DAMAGED}")
    return np.array(matrix).reshape(3, 3).T * spacing  # the file lists the axes one after another

"""What an image file claims about itself, checked before its voxels are read or memory is taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from .plausible import check_axes, check_shape, check_size

MAX_HEADER_BYTES = 1_000_000
DAMAGED = "Copy or export it again."
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
COMMA = r"[ \t]*,[ \t]*"
NO_PLACE = "The file does not say how the image lies in the patient; left and right cannot be checked."


@dataclass(frozen=True)
class Header:
    """The claims of a file that all formats share.

    Parameters
    ----------
    shape_xyz : voxels along the file's own axes, fastest first.
    components : values per voxel. dtype : type of one value, with the file's byte order.
    vectors : 3x3, columns are the steps from voxel to voxel along x, y, z in mm (whatever the file's patient axes
        are called), or None if the file does not say.
    data : the file that holds the voxels; offset : where they begin in it.
    packing : "raw", "gzip", "zlib", or "other" for what only ITK reads (text, bzip2).
    skip : bytes before the voxels in the unpacked stream.
    grid : where the voxels lie; None if ITK is asked.
    notices : what is odd but allowed.
    """

    shape_xyz: tuple[int, ...]
    components: int
    dtype: np.dtype
    vectors: NDArray[np.float64] | None
    data: Path
    offset: int
    packing: str
    skip: int = 0
    grid: Geometry | None = None
    notices: tuple[str, ...] = ()

    @property
    def data_bytes(self) -> int:
        return math.prod(self.shape_xyz) * self.components * self.dtype.itemsize

    @property
    def spare_bytes(self) -> int:
        """What may follow the voxels: less than a row of them. More, and the sizes in the header are wrong."""
        return self.shape_xyz[0] * self.dtype.itemsize - 1

    def check(self) -> None:
        """Refuse what cannot be a 3D scan of a patient, or is not all there. Nothing has been allocated yet."""
        check_shape(self.shape_xyz, self.components)
        check_size(self.shape_xyz, self.dtype.itemsize)
        if self.vectors is not None:
            check_axes(self.vectors)
        if not self.data.is_file():
            raise InputRefused("E_READ", f"The file {self.data.name} with the voxels is missing. Keep both together.")
        needed, found = self.offset + self.skip + self.data_bytes, self.data.stat().st_size
        if self.packing == "raw" and found < needed:
            raise InputRefused(
                "E_TRUNCATED", f"{self.data.name} ends early: {found} of {needed} bytes are there. {DAMAGED}"
            )
        if self.packing == "raw" and found - needed > self.spare_bytes:
            raise more_than_stated(self.data)


def more_than_stated(data: Path) -> InputRefused:
    """The error for a file with more voxels than its header has places for: read by it, they would be scrambled."""
    return InputRefused("E_READ", f"{data.name} holds more voxels than its header says. {DAMAGED}")


def beside(header_file: Path, name: str) -> Path:
    """The data file ``name`` of a two-file image. Only the header's own folder is allowed."""
    if name.upper().startswith("LIST") or "%" in name:
        raise InputRefused(
            "E_FORMAT", f"{header_file.name} spreads its voxels over many files. Save the image as one file."
        )
    if not name or Path(name).name != name or "\\" in name or ":" in name:
        raise InputRefused(
            "E_UNSAFE", f"{header_file.name} refers to voxels in another folder. Put both files into one folder."
        )
    return header_file.parent / name


def numbers(text: str, path: Path, field: str, between: str = r"[ \t]+") -> list[float]:
    """The numbers of a header field, separated by blanks or, in a vector, by ``between``.

    Only what every program takes for a number: Python's float would also read 1_000 and digits of other scripts.
    """
    parts = re.split(between, text.strip(" \t"))
    if not all(NUMBER.fullmatch(part) for part in parts):
        raise InputRefused("E_READ", f"The field {field!r} of {path.name} holds no numbers. {DAMAGED}")
    return [float(part) for part in parts]


def whole_numbers(text: str, path: Path, field: str) -> tuple[int, ...]:
    """The whole numbers of a header field."""
    values = numbers(text, path, field)
    if not values or not all(math.isfinite(v) and v == int(v) for v in values):
        raise InputRefused("E_READ", f"The field {field!r} of {path.name} holds no whole numbers. {DAMAGED}")
    return tuple(int(v) for v in values)


def check_origin(text: str, path: Path, between: str = r"[ \t]+") -> None:
    """Refuse an origin that is not a number: ITK would take 0 instead."""
    if not all(math.isfinite(v) for v in numbers(text, path, "origin", between)):
        raise InputRefused("E_GEOMETRY", f"The origin of {path.name} is not a number. Export the image again.")

"""Voxels from a raw, gzip or zlib stream, straight into their array: once, in their own type, all or nothing.

ITK is not asked, because it hides damage: a truncated NIfTI or a damaged MetaImage gives whatever was in memory, a
damaged NRRD is read without a look at its checksum, and NaN in NIfTI becomes 0 (water).
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from .header import DAMAGED, Header, more_than_stated
from .plausible import check_finite

STEP = 2**20
MAX_TAIL_BYTES = 2**26  # what a damaged stream may go on for before nobody reads on to its checksum


class _Inflated(io.RawIOBase):
    """A zlib stream as a readable file; its checksum is checked where it ends."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream
        self._unpack = zlib.decompressobj(wbits=47)  # zlib or gzip, as the stream says

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        part = b""
        while not part and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._stream.read(2**18)
            if not packed:
                raise EOFError
            part = self._unpack.decompress(packed, len(buffer))
        buffer[: len(part)] = part
        return len(part)


def read_voxels(header: Header) -> NDArray:
    """The voxels ``(z, y, x)`` of a checked header, in native byte order.

    Raises
    ------
    InputRefused : E_TRUNCATED if the stream ends early or its checksum is wrong.
    """
    voxels = np.empty(header.shape_xyz[::-1], header.dtype)
    with _opened(header) as stream:
        fill(stream, voxels, header.data)
        _check_end(stream, header)
    if not voxels.dtype.isnative:
        voxels = voxels.byteswap(inplace=True).view(voxels.dtype.newbyteorder("="))
    return voxels


def check_stream(header: Header) -> None:
    """Refuse what ``read_voxels`` or ``check_voxels`` would refuse, slice by slice: no volume is allocated.

    Raises
    ------
    InputRefused : E_TRUNCATED, E_NONFINITE, E_READ (more voxels than stated).
    """
    one = np.empty((1, *header.shape_xyz[1::-1]), header.dtype)
    with _opened(header) as stream:
        for z in range(header.shape_xyz[2]):
            fill(stream, one, header.data)
            check_finite(one, z)
        _check_end(stream, header)


@contextmanager
def _opened(header: Header) -> Iterator[IO[bytes]]:
    """The unpacked stream, standing at the first voxel."""
    with header.data.open("rb") as file:
        file.seek(header.offset)
        stream = unpacked(file, header.packing)
        fill(stream, np.empty(header.skip, np.uint8), header.data)
        yield stream


def _check_end(stream: IO[bytes], header: Header) -> None:
    """Read a packed stream to its end, where its checksum is."""
    tail = 0
    try:
        while header.packing != "raw" and tail <= MAX_TAIL_BYTES and (rest := stream.read(STEP)):
            tail += len(rest)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise damaged(header.data) from None
    if tail > header.spare_bytes:
        raise more_than_stated(header.data)


def unpacked(file: IO[bytes], packing: str) -> IO[bytes]:
    """A file's bytes from where it stands, decompressed if packed."""
    if packing == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    return cast("IO[bytes]", _Inflated(file)) if packing == "zlib" else file


def fill(stream: IO[bytes], array: NDArray, path: Path) -> None:
    """Fill an array from a stream, or refuse."""
    view = array.reshape(-1).view(np.uint8).data
    done = 0
    try:
        while done < len(view):
            count = stream.readinto(view[done : done + STEP])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            done += count
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise damaged(path) from None


def damaged(path: Path) -> InputRefused:
    return InputRefused("E_TRUNCATED", f"{path.name} ends early or is damaged. {DAMAGED}")

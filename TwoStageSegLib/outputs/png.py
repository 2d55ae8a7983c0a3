"""A PNG with a palette, from an array of palette indices: grey CT with a few colours needs one byte per pixel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]


def encode_png(indices: NDArray[np.uint8], palette: Sequence[Rgb]) -> bytes:
    """PNG file (ISO 15948, colour type 3) of ``indices`` ``(height, width)`` into ``palette`` (at most 256 colours)."""
    height, width = indices.shape
    if not 0 < len(palette) <= 256 or indices.max(initial=0) >= len(palette):
        raise ValueError("an index points beyond the palette")
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter type, 0: as it is
    rows[:, 1:] = indices
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = np.asarray(palette, np.uint8).tobytes()
    chunks = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

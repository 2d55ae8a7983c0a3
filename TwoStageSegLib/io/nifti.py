"""NIfTI-1 files (.nii, .nii.gz): header checks and voxels. SimpleITK only says how the grid lies in the patient.

A rescale is applied in place where the voxels' type allows it; ITK makes the whole image float.
Header layout: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from .header import DAMAGED, Header
from .nifti_placement import placement
from .plausible import check_shape
from .voxels import fill, read_voxels, unpacked

DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
COLOUR = {32: 2, 1792: 2, 2048: 2, 128: 3, 2304: 4}  # complex, RGB, RGBA: values per voxel
HEADER_BYTES = 348
MIN_SLOPE = 1e-15
MAX_OFFSET = 2**26  # bytes of header extensions before the voxels


@dataclass(frozen=True)
class NiftiFile:
    """What is needed to read the voxels: the checked header and the rescale."""

    header: Header
    slope: float
    intercept: float


def nifti_header(path: Path) -> NiftiFile:
    """Parse and check a NIfTI-1 header. Raises InputRefused with the reason."""
    packing = "gzip" if _is_gzip(path) else "raw"
    raw, order = _raw_header(path, packing)
    code, bits = struct.unpack_from(order + "2h", raw, 70)
    components = COLOUR.get(code, 1)
    if components == 1 and (code not in DTYPES or bits != 8 * np.dtype(DTYPES[code]).itemsize):
        raise InputRefused("E_FORMAT", f"{path.name} has voxels of an unsupported type (NIfTI code {code}).")
    dtype = np.dtype(order + DTYPES.get(code, "u1"))
    offset, slope, intercept = struct.unpack_from(order + "3f", raw, 108)
    if not HEADER_BYTES <= offset <= MAX_OFFSET or offset != int(offset):
        raise InputRefused("E_READ", f"The field 'vox_offset' of {path.name} makes no sense. {DAMAGED}")
    shape, extra = _shape(struct.unpack_from(order + "8h", raw, 40), path)
    check_shape(shape, max(components, extra))
    vectors, notices = placement(raw, order, path)
    header = Header(
        shape_xyz=shape,
        components=max(components, extra),
        dtype=dtype,
        vectors=vectors,
        data=path,
        offset=0,
        packing=packing,
        skip=int(offset),
        notices=notices,
    )
    if not np.isfinite(slope) or slope == 0:  # the standard's way to say that there is none
        slope, intercept = 1.0, 0.0
    if abs(slope) < MIN_SLOPE:  # ITK takes it for none; it would also make every voxel nothing
        raise InputRefused("E_READ", f"The rescale (scl_slope) of {path.name} makes no sense. {DAMAGED}")
    if not np.isfinite(intercept):
        raise InputRefused("E_READ", f"The rescale (scl_inter) of {path.name} is not a number. {DAMAGED}")
    header.check()
    return NiftiFile(header, float(slope), float(intercept))


def _raw_header(path: Path, packing: str) -> tuple[bytes, str]:
    """The header's bytes and their order ("<" or ">")."""
    buffer = np.empty(HEADER_BYTES, np.uint8)
    with path.open("rb") as file:
        fill(unpacked(file, packing), buffer, path)
    raw = buffer.tobytes()
    order = next((o for o in "<>" if struct.unpack_from(o + "i", raw)[0] == HEADER_BYTES), None)
    if order is None or raw[344:348] not in (b"n+1\0", b"ni1\0"):
        if 540 in _first(raw):
            raise InputRefused(
                "E_FORMAT", f"{path.name} is a NIfTI-2 file, which is not supported; save it as NIfTI-1."
            )
        raise InputRefused("E_READ", f"{path.name} is not a NIfTI-1 file, whatever its name says. {DAMAGED}")
    if raw[344:348] == b"ni1\0":
        raise InputRefused(
            "E_FORMAT", f"{path.name} keeps its voxels in another file (.img). Save it as one .nii file."
        )
    return raw, order


def nifti_voxels(file: NiftiFile) -> NDArray:
    """The voxels, ``(z, y, x)``, rescaled; in the file's own type where the rescale allows it, else float32.

    Raises InputRefused (E_TRUNCATED) if the file ends early or its checksum is wrong.
    """
    return _rescaled(read_voxels(file.header), file.slope, file.intercept)


def _rescaled(voxels: NDArray, slope: float, intercept: float) -> NDArray:
    if slope == 1 and intercept == 0:
        return voxels
    if voxels.dtype.kind in "iu" and slope == int(slope) and intercept == int(intercept):
        ends = np.array([voxels.min(), voxels.max()], float) * slope + intercept
        if voxels.dtype.itemsize <= 2 and -(2**15) <= ends.min() and ends.max() < 2**15:
            # In place and modulo 2**16: intermediate values may wrap round, the results are known to fit.
            whole = voxels.view(np.uint16) if voxels.dtype.itemsize == 2 else voxels.astype(np.int16).view(np.uint16)
            whole *= np.uint16(int(slope) % 2**16)
            whole += np.uint16(int(intercept) % 2**16)
            return whole.view(np.int16)
    scaled: NDArray[np.float32] = voxels.astype(np.float32, copy=False)
    scaled *= np.float32(slope)
    scaled += np.float32(intercept)
    return scaled


def _shape(dim: tuple[int, ...], path: Path) -> tuple[tuple[int, ...], int]:
    """Voxels along x, y, z (and time), and the values per voxel (fifth dimension)."""
    if not 1 <= dim[0] <= 7:
        raise InputRefused("E_READ", f"The field 'dim' of {path.name} makes no sense. {DAMAGED}")
    sizes = list(dim[1 : dim[0] + 1])
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) == 5 and sizes[3] == 1:
        return tuple(sizes[:3]), sizes[4]
    return tuple(sizes), 1


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _first(raw: bytes) -> tuple[int, int]:
    return struct.unpack_from("<i", raw)[0], struct.unpack_from(">i", raw)[0]

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
from .header import DAMAGED, NO_PLACE, Header
from .plausible import check_axes
from .voxels import fill, read_voxels, unpacked

DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
COLOUR = {32: 2, 1792: 2, 2048: 2, 128: 3, 2304: 4}  # complex, RGB, RGBA: values per voxel
HEADER_BYTES = 348
TWO_PLACES = "The file places the image twice (qform and sform), not quite the same; one of them was used."


@dataclass(frozen=True)
class NiftiFile:
    """What is needed to read the voxels: the checked header and the rescale."""

    header: Header
    slope: float
    intercept: float


def nifti_header(path: Path) -> NiftiFile:
    """Parse and check a NIfTI-1 header. Raises InputRefused with the reason."""
    packing = "gzip" if _is_gzip(path) else "raw"
    buffer = np.empty(HEADER_BYTES, np.uint8)
    with path.open("rb") as file:
        fill(unpacked(file, packing), buffer, path)
    raw = buffer.tobytes()
    order = next((o for o in "<>" if struct.unpack_from(o + "i", raw)[0] == HEADER_BYTES), None)
    if order is None or raw[344:348] not in (b"n+1\0", b"ni1\0"):
        kind = (
            "a NIfTI-2 file, which is not supported; save it as NIfTI-1" if 540 in _first(raw) else "not a NIfTI-1 file"
        )
        raise InputRefused("E_READ", f"{path.name} is {kind}.")
    if raw[344:348] == b"ni1\0":
        raise InputRefused(
            "E_FORMAT", f"{path.name} keeps its voxels in another file (.img). Save it as one .nii file."
        )
    code, bits = struct.unpack_from(order + "2h", raw, 70)
    components = COLOUR.get(code, 1)
    if components == 1 and (code not in DTYPES or bits != 8 * np.dtype(DTYPES[code]).itemsize):
        raise InputRefused("E_FORMAT", f"{path.name} has voxels of an unsupported type (NIfTI code {code}).")
    dtype = np.dtype(order + DTYPES.get(code, "u1"))
    offset, slope, intercept = struct.unpack_from(order + "3f", raw, 108)
    if not HEADER_BYTES <= offset < 1e9:
        raise InputRefused("E_READ", f"The field 'vox_offset' of {path.name} makes no sense. {DAMAGED}")
    shape, extra = _shape(struct.unpack_from(order + "8h", raw, 40), path)
    vectors, notices = _vectors(raw, order, path)
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
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        slope, intercept = 1.0, 0.0
    header.check()
    return NiftiFile(header, float(slope), float(intercept))


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


def _vectors(raw: bytes, order: str, path: Path) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Steps along x, y, z from the sform, else the qform, else the spacing; and what is odd about them."""
    pixdim = np.array(struct.unpack_from(order + "8f", raw, 76), float)
    if not np.isfinite(pixdim[1:4]).all() or (pixdim[1:4] <= 0).any():
        raise InputRefused("E_SPACING", f"The voxel spacing of {path.name} is not positive. Export the image again.")
    qform_code, sform_code = struct.unpack_from(order + "2h", raw, 252)
    sform = np.array(struct.unpack_from(order + "12f", raw, 280), float).reshape(3, 4)
    qform = _from_quaternion(struct.unpack_from(order + "6f", raw, 256), pixdim)
    if sform_code > 0:
        if not np.isfinite(sform).all():
            raise InputRefused("E_GEOMETRY", f"The placement (sform) of {path.name} is not a number. Export it again.")
        check_axes(sform[:, :3], zero_code="E_GEOMETRY")
    if qform_code > 0 and not np.isfinite(qform).all():
        raise InputRefused("E_GEOMETRY", f"The placement (qform) of {path.name} is not a number. Export it again.")
    notices: tuple[str, ...] = ()
    if sform_code > 0 and qform_code > 0:
        unit_s = sform[:, :3] / np.linalg.norm(sform[:, :3], axis=0)
        cosine = (unit_s * qform[:, :3] / pixdim[1:4]).sum(0)
        if (cosine < 0.7).any():
            raise InputRefused(
                "E_GEOMETRY",
                f"{path.name} places the image twice (qform and sform), differently. Export it with one placement.",
            )
        if (cosine < 1 - 1e-4).any() or np.abs(sform[:, 3] - qform[:, 3]).max() > 0.1:
            notices = (TWO_PLACES,)
    if sform_code > 0:
        return sform[:, :3], notices
    if qform_code > 0:
        return qform[:, :3], notices
    return np.diag(pixdim[1:4]), (NO_PLACE,)


def _from_quaternion(values: tuple[float, ...], pixdim: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 3x4 matrix of a qform: ``b, c, d`` of a unit quaternion, offsets, ``pixdim[0]`` the handedness."""
    b, c, d, *offset = values
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    steps = pixdim[1:4] * (1, 1, -1 if pixdim[0] < 0 else 1)
    return np.column_stack([rotation * steps, offset])


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _first(raw: bytes) -> tuple[int, int]:
    return struct.unpack_from("<i", raw)[0], struct.unpack_from(">i", raw)[0]

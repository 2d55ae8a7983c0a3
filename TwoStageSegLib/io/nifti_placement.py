"""Where a NIfTI file says its voxels lie: sform, qform or neither; checked, because ITK mends it in silence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from .header import NO_PLACE
from .plausible import check_axes

TWO_PLACES = "The file places the image twice (qform and sform), not quite the same; one of them was used."
Floats = NDArray[np.float64]


def placement(raw: bytes, order: str, path: Path) -> tuple[Floats, tuple[str, ...]]:
    """Steps along x, y, z (3x3 columns, RAS) from the sform, else the qform, else the spacing; and what is odd.

    Parameters
    ----------
    raw : the 348 bytes of the header; order : "<" or ">".

    Raises
    ------
    InputRefused : E_SPACING, E_GEOMETRY or E_TILT.
    """
    pixdim = np.array(struct.unpack_from(order + "8f", raw, 76), float)
    if not np.isfinite(pixdim[1:4]).all() or (pixdim[1:4] <= 0).any():
        raise InputRefused("E_SPACING", f"The voxel spacing of {path.name} is not positive. Export the image again.")
    qform_code, sform_code = struct.unpack_from(order + "2h", raw, 252)
    sform = np.array(struct.unpack_from(order + "12f", raw, 280), float).reshape(3, 4)
    qform = _from_quaternion(struct.unpack_from(order + "6f", raw, 256), pixdim)
    if sform_code > 0:
        _check_sform(sform, pixdim[1:4], path)
    if qform_code > 0 and not np.isfinite(qform).all():
        raise InputRefused("E_GEOMETRY", f"The placement (qform) of {path.name} is not a number. Export it again.")
    if sform_code > 0 and qform_code > 0:
        return sform[:, :3], _compared(sform, qform, path)
    if sform_code > 0 or qform_code > 0:
        return (sform if sform_code > 0 else qform)[:, :3], ()
    return np.diag(pixdim[1:4]), (NO_PLACE,)


def _check_sform(sform: Floats, spacing: Floats, path: Path) -> None:
    if not np.isfinite(sform).all():
        raise InputRefused("E_GEOMETRY", f"The placement (sform) of {path.name} is not a number. Export it again.")
    check_axes(sform[:, :3], zero_code="E_GEOMETRY")
    if np.abs(np.linalg.norm(sform[:, :3], axis=0) / spacing - 1).max() > 0.01:
        raise InputRefused(
            "E_GEOMETRY", f"{path.name} gives two voxel spacings (pixdim and sform). Export it with one."
        )


def _compared(sform: Floats, qform: Floats, path: Path) -> tuple[str, ...]:
    """Refuse two placements that are turned or mirrored against each other; a notice if they differ a little."""
    cosine = (_unit(sform) * _unit(qform)).sum(0)
    if (cosine < 0.7).any():
        raise InputRefused(
            "E_GEOMETRY",
            f"{path.name} places the image twice (qform and sform), differently. Export it with one placement.",
        )
    differ = (cosine < 1 - 1e-4).any() or np.abs(sform[:, 3] - qform[:, 3]).max() > 0.1
    return (TWO_PLACES,) if differ else ()


def _unit(form: Floats) -> Floats:
    return form[:, :3] / np.linalg.norm(form[:, :3], axis=0)


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

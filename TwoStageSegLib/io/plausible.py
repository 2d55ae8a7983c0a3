"""Can this be a scan of a patient? Limits on size, spacing, extent and values, each with its reason."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..volume import Volume

MIN_SLICES = 4
MAX_BYTES = 2**32  # 4 GiB of voxels: 1024 x 1024 x 2000 int16
MIN_SPACING_MM, MAX_SPACING_MM = 0.1, 20.0  # finer is micro-CT or centimetres, coarser holds no organ
MIN_EXTENT_MM, MAX_EXTENT_MM = 30.0, 2500.0
MIN_CT_EXTENT_MM = 80.0  # a body part; a planning CT whose spacing is in centimetres stays below
MAX_SHEAR = 1e-3  # sine of the angle that two axes may miss 90 degrees by: 0.06 degrees

Columns = NDArray[np.float64]


def check_shape(shape_xyz: Sequence[int], components: int = 1) -> None:
    """Refuse all but three dimensions, one value per voxel and at least four voxels along each axis."""
    size = " x ".join(str(n) for n in shape_xyz)
    if any(n <= 0 for n in shape_xyz):
        raise InputRefused("E_EMPTY", f"The image has no voxels ({size}).")
    if components != 1:
        raise InputRefused(
            "E_COMPONENTS", f"Each voxel has {components} values (colour or vectors); save the image as one grey value."
        )
    if len(shape_xyz) > 3:
        raise InputRefused(
            "E_4D", f"The image has {len(shape_xyz)} dimensions ({size}); choose one time point and save it."
        )
    if len(shape_xyz) < 3:
        raise InputRefused("E_DIM", f"The image has {len(shape_xyz)} dimensions ({size}); a 3D volume is needed.")
    if min(shape_xyz) < MIN_SLICES:
        raise InputRefused(
            "E_TOO_FEW_SLICES",
            f"The image is {size} voxels; at least {MIN_SLICES} slices are needed. Load the whole scan.",
        )


def check_size(shape_xyz: Sequence[int], voxel_bytes: int) -> None:
    """Refuse a volume that memory cannot hold twice, before any of it is allocated."""
    needed = math.prod(shape_xyz) * voxel_bytes
    memory = _memory_bytes()
    allowed = MAX_BYTES if memory is None else min(MAX_BYTES, memory // 2)
    if needed > allowed:
        size = " x ".join(str(n) for n in shape_xyz)
        raise InputRefused(
            "E_TOO_LARGE",
            f"The image of {size} voxels needs {needed / 1e9:.1f} GB; at most {allowed / 1e9:.1f} GB can be. Crop it.",
        )


def check_axes(vectors: Columns, zero_code: str = "E_SPACING") -> None:
    """Refuse steps between voxels that are no numbers, zero, flat or sheared.

    Parameters
    ----------
    vectors : 3x3, columns are the steps along the image's x, y, z.
    zero_code : code for a step of no length.
    """
    if not np.isfinite(vectors).all():
        raise InputRefused("E_SPACING", "The distance between voxels is not a number. Export the image again.")
    length = np.linalg.norm(vectors, axis=0)
    if (length == 0).any():
        raise InputRefused(zero_code, "The distance between voxels is zero along one axis. Export the image again.")
    unit = vectors / length
    if abs(np.linalg.det(unit)) < 1e-3:
        raise InputRefused("E_GEOMETRY", "Two image axes run the same way: the image has no volume. Export it again.")
    cosines = unit.T @ unit - np.eye(3)
    if np.abs(cosines).max() > MAX_SHEAR:
        raise InputRefused(
            "E_TILT", "The image axes are not at right angles (gantry tilt or shear). Resample it to a straight grid."
        )


def check_geometry(geometry: Geometry) -> None:
    """Refuse a grid that cannot be a patient's: axes, spacing or extent."""
    spacing = np.asarray(geometry.spacing_xyz_mm)
    text = " x ".join(f"{s:.4g}" for s in spacing)
    if not np.isfinite(spacing).all() or (spacing <= 0).any():
        raise InputRefused("E_SPACING", f"The voxel spacing {text} mm is not positive. Export the image again.")
    check_axes(np.asarray(geometry.direction) * spacing)
    if not np.isfinite(geometry.origin_lps).all():
        raise InputRefused("E_GEOMETRY", "The image's origin is not a number. Export the image again.")
    if (spacing > MAX_SPACING_MM).any():
        raise InputRefused(
            "E_SPACING", f"The voxel spacing {text} mm is too coarse; at most {MAX_SPACING_MM:g} mm can be used."
        )
    extent = geometry.extent_zyx_mm[::-1]
    size = " x ".join(f"{e:.4g}" for e in extent)
    if (spacing < MIN_SPACING_MM).any() or extent.max() < MIN_EXTENT_MM or extent.max() > MAX_EXTENT_MM:
        raise InputRefused(
            "E_FOV",
            f"The image would be {size} mm (spacing {text} mm), which no patient scan is. Is its spacing in mm?",
        )


def check_voxels(voxels: NDArray) -> None:
    """Refuse NaN, infinity and an image of one single value."""
    check_finite(voxels)
    if all((part == voxels[0, 0, 0]).all() for part in voxels):
        raise InputRefused("E_NO_SIGNAL", f"All voxels have the same value ({voxels[0, 0, 0]}): the image is empty.")


def check_finite(voxels: NDArray, first_slice: int = 0) -> None:
    """Refuse NaN and infinity in ``(z, y, x)`` voxels, of which the first slice has the number ``first_slice``."""
    if voxels.dtype.kind != "f":
        return
    bad = sum(int(np.count_nonzero(~np.isfinite(part))) for part in voxels)
    if bad:
        z = next(i for i, part in enumerate(voxels) if not np.isfinite(part).all())
        y, x = (int(i[0]) for i in np.nonzero(~np.isfinite(voxels[z])))
        raise InputRefused(
            "E_NONFINITE",
            f"{bad} voxels are not numbers (NaN or infinite), the first at x, y, z = {x}, {y}, {z + first_slice}. "
            "Repair it.",
        )


def check_scan(volume: Volume) -> None:
    """Refuse a volume that no patient scan is, whoever read it: too few slices, spacing, extent, NaN, one value."""
    check_shape(volume.geometry.shape_zyx[::-1])
    check_geometry(volume.geometry)
    check_voxels(volume.voxels)


def check_ct(volume: Volume) -> None:
    """Refuse a volume that is not a CT in Hounsfield units. For the pipeline: the model says that it wants a CT.

    Values below -1024 (padding outside the field of view) are allowed. About 200,000 voxels are looked at.

    Raises
    ------
    InputRefused : E_MODALITY, E_FOV, E_HU_RANGE (no HU at all), E_HU_OFFSET (HU shifted, mostly by 1024).
    """
    if volume.modality not in ("", "CT"):
        raise InputRefused(
            "E_MODALITY", f"The image is {volume.modality[:16]}, the model needs CT. Choose the CT series."
        )
    step = max(1, round((volume.voxels.size / 2e5) ** (1 / 3)))
    values = volume.voxels[::step, ::step, ::step].astype(np.float32).ravel()
    low, high = float(values.min()), float(values.max())
    if low >= -200:
        # Uncorrected CT: most of what is not air is soft tissue near 1024; an MR or a windowed picture differs.
        if high > 1200 and np.mean((values > 880) & (values < 1130)) > 0.4 * np.mean(values > 500):
            raise InputRefused(
                "E_HU_OFFSET",
                f"Values from {low:.0f} to {high:.0f}: HU shifted by about 1024. Apply the rescale intercept.",
            )
        raise InputRefused(
            "E_HU_RANGE", f"Values from {low:.0f} to {high:.0f} are no Hounsfield units (no air). Load the original CT."
        )
    if high <= 0 or np.mean((values > -200) & (values < 300)) < 1e-3:
        raise InputRefused(
            "E_HU_OFFSET",
            f"Values from {low:.0f} to {high:.0f} hold no soft tissue: HU are shifted. Export the CT again.",
        )
    if volume.geometry.extent_zyx_mm.max() < MIN_CT_EXTENT_MM:
        size = " x ".join(f"{e:.4g}" for e in volume.geometry.extent_zyx_mm[::-1])
        raise InputRefused(
            "E_FOV", f"The CT is only {size} mm large. Load the whole scan, or correct spacing given in cm."
        )


def _memory_bytes() -> int | None:
    """The machine's memory, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None

"""A DICOM folder with one series: tags through the gate, then slice after slice into one array.

Slice by slice, because ITK's series reader takes the first slice's type for all of them: a later slice with a
fractional rescale slope would be cut to whole numbers. No second copy of the volume is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..volume import Volume
from .dicom_gate import one_series, straight_grid
from .dicom_tags import Tags, scan_files, scan_folder
from .plausible import check_shape, check_size
from .quiet import quiet_itk

if TYPE_CHECKING:
    import SimpleITK

UNCOMPRESSED = ("Implicit VR", "Explicit VR")


def read_dicom_folder(folder: Path) -> Volume:
    """The one image series of a folder. RTSTRUCT and other objects beside it are ignored with a notice.

    Raises
    ------
    InputRefused : the folder holds no series, several, or one that is not a complete straight stack of slices.
    """
    images, others = scan_folder(folder)
    if not images:
        raise InputRefused(
            "E_READ", f"The folder {folder.name} holds no DICOM images. Choose the folder that holds the slices."
        )
    slices, geometry = _one_stack(images)
    return Volume(_stack(slices, geometry), geometry, slices[0].modality, _notices(slices, others))


def check_slices(files: Sequence[Path]) -> Geometry:
    """The grid of a series. Refuses files that are not one complete straight stack; no pixel is decoded."""
    images, _ = scan_files(files)
    if not images:
        raise InputRefused("E_FORMAT", "The scan's files are not DICOM images.")
    return _one_stack(images)[1]


def _one_stack(images: list[Tags]) -> tuple[list[Tags], Geometry]:
    """The slices in the order of their positions, and their grid, of a size that can be read."""
    one_series(images)
    slices, geometry = straight_grid(images)
    z, y, x = geometry.shape_zyx
    check_shape((x, y, z))
    check_size((x, y, z), 2)
    return slices, geometry


def _notices(slices: list[Tags], others: list[str]) -> tuple[str, ...]:
    notices = []
    if others:
        kinds = ", ".join(f"{n} {kind[:16]}" for kind, n in sorted(Counter(others).items()))
        notices.append(f"Ignored beside the slices: {kinds}.")
    if "DERIVED" in slices[0].image_type:
        notices.append("The series is marked as derived (reconstructed or resampled) images.")
    if not slices[0].frame_of_reference:
        notices.append("The series names no frame of reference; contours cannot be linked to it.")
    return tuple(notices)


def _stack(slices: list[Tags], geometry: Geometry) -> NDArray:
    """All slices, rescaled, ``(z, y, x)``: int16 if every value fits, else int32, or float32 for fractions."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    out = np.empty(geometry.shape_zyx, np.int16)
    for z, tags in enumerate(slices):
        image = _read(reader, tags, float(np.dot(tags.position, np.asarray(geometry.direction)[:, 2])))
        pixels = SimpleITK.GetArrayViewFromImage(image)[0]
        if pixels.shape != out.shape[1:]:
            raise InputRefused(
                "E_COMPONENTS", f"Slice {z + 1} of {len(slices)} is not one grey value per pixel. Export it again."
            )
        if pixels.dtype.kind == "f" and out.dtype.kind != "f":
            out = out.astype(np.float32)
        elif out.dtype == np.int16 and (pixels.min() < -(2**15) or pixels.max() >= 2**15):
            out = out.astype(np.int32)
        out[z] = pixels
    return out


def _read(reader: SimpleITK.ImageFileReader, tags: Tags, position_mm: float) -> SimpleITK.Image:
    """One slice. GDCM's own message holds the path and is not passed on."""
    reader.SetFileName(str(tags.path))
    try:
        with quiet_itk():
            return reader.Execute()
    except RuntimeError:
        if not tags.transfer_syntax.startswith(UNCOMPRESSED):
            raise InputRefused(
                "E_CODEC",
                f"The slices' compression ({tags.transfer_syntax[:60]}) cannot be read. Export them uncompressed.",
            ) from None
        raise InputRefused(
            "E_READ", f"The slice at {position_mm:.1f} mm cannot be read. Export the series again."
        ) from None

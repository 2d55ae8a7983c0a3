"""One image from disk: what kind of file it is, checks, voxels, grid."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..volume import Volume
from .dicom_series import read_dicom_folder
from .header import DAMAGED
from .meta_header import meta_header
from .nifti import nifti_header, nifti_voxels
from .nrrd_header import nrrd_header
from .plausible import check_geometry, check_voxels
from .quiet import quiet_itk
from .voxels import read_voxels

if TYPE_CHECKING:
    import SimpleITK

READERS = {".nrrd": "NrrdImageIO", ".nhdr": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}
KNOWN = "NRRD (.nrrd, .nhdr), NIfTI (.nii, .nii.gz), MetaImage (.mha, .mhd) or a DICOM folder"


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read a 3D scan: NRRD, NIfTI or MetaImage file, or a folder with one DICOM series.

    The voxels keep their type (int16 stays int16) and exist once in memory. Values below -1024
    (padding outside a scanner's field of view) are kept: sample them with ``floor=-1024``.

    Raises
    ------
    InputRefused : with a code and one line that says what is wrong, where and what to do.
    """
    source = Path(path)
    try:
        volume = read_dicom_folder(source) if source.is_dir() else _read_file(source)
    except PermissionError:
        raise InputRefused("E_READ", f"{source.name} may not be read by you. Ask for the right to read it.") from None
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise InputRefused("E_READ", f"{source.name} could not be read ({reason}). Check the disk.") from None
    check_geometry(volume.geometry)
    check_voxels(volume.voxels)
    return volume


def _read_file(path: Path) -> Volume:
    if not path.is_file():
        raise InputRefused("E_READ", f"There is no file or folder {path.name!r} there. Check the path.")
    if path.stat().st_size == 0:
        raise InputRefused("E_READ", f"{path.name} is empty (0 bytes). {DAMAGED}")
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        file = nifti_header(path)
        return Volume(nifti_voxels(file), grid_of(_information(path, "NiftiImageIO")), notices=file.header.notices)
    if path.suffix.lower() in READERS:
        reader = READERS[path.suffix.lower()]
        header = nrrd_header(path) if reader == "NrrdImageIO" else meta_header(path)
        grid = grid_of(_information(path, reader))
        voxels = _voxels_by_itk(path, reader) if header.packing == "other" else read_voxels(header)
        return Volume(voxels, grid, notices=header.notices)
    if name.endswith((".dcm", ".ima")):
        raise InputRefused("E_FORMAT", f"{path.name} is one DICOM file; give the folder that holds the series.")
    raise InputRefused("E_FORMAT", f"{path.name} is of a kind that cannot be read. Use {KNOWN}.")


def grid_of(image: SimpleITK.ImageFileReader) -> Geometry:
    """The grid of a SimpleITK reader that has read an image's information, or of an image."""
    if image.GetDimension() != 3:
        raise InputRefused("E_DIM", f"The image has {image.GetDimension()} dimensions; a 3D volume is needed.")
    x, y, z = (int(n) for n in image.GetSize())
    origin, spacing = image.GetOrigin(), image.GetSpacing()
    direction = np.asarray(image.GetDirection(), float).reshape(3, 3) + 0.0
    return Geometry(
        (z, y, x),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        (float(spacing[0]), float(spacing[1]), float(spacing[2])),
        tuple((float(r[0]), float(r[1]), float(r[2])) for r in direction),
    )


def _information(path: Path, reader_name: str) -> SimpleITK.ImageFileReader:
    """The grid as SimpleITK, and so Slicer, understands it. ITK's own messages hold paths and are not passed on."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(str(path))
    try:
        with quiet_itk():
            reader.ReadImageInformation()
    except RuntimeError:
        raise InputRefused(
            "E_GEOMETRY", f"The placement of {path.name} in the patient is not usable. Export it again."
        ) from None
    return reader


def _voxels_by_itk(path: Path, reader_name: str) -> NDArray:
    """Voxels in an encoding that only ITK knows (text, bzip2)."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(str(path))
    try:
        with quiet_itk():
            return SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        raise InputRefused("E_TRUNCATED", f"{path.name} cannot be read to its end: damaged. {DAMAGED}") from None

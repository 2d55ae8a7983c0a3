"""One image from disk: what kind of file it is, checks, voxels, grid."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputRefused
from ..geometry import Geometry
from ..volume import Volume
from .dicom_series import check_slices, read_dicom_folder
from .dicom_tags import SLICE_NAMES
from .header import DAMAGED, Header
from .meta_header import meta_header
from .nifti import NiftiFile, nifti_header, nifti_voxels
from .nrrd_header import nrrd_header
from .plausible import check_geometry, check_scan
from .quiet import quiet_itk
from .voxels import check_stream, read_voxels

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
    if not os.fspath(path):
        raise InputRefused("E_READ", "The name of the image is empty. Give a file or a DICOM folder.")
    with _os_errors_in_words(source):
        volume = read_dicom_folder(source) if source.is_dir() else _read_file(source)
    check_scan(volume)
    return volume


def check_files(paths: Sequence[Path]) -> Geometry:
    """Refuse the file (or the DICOM slices) of a scan as :func:`read_volume` would, without reading it into memory.

    For a scan that another program has read: its reader may have hidden that the file is damaged.

    Returns
    -------
    The grid that :func:`read_volume` would give.

    Raises
    ------
    InputRefused : as ``read_volume``; E_FORMAT for a kind of file that is not known here.
    """
    first = paths[0]
    with _os_errors_in_words(first):
        if len(paths) > 1 or first.suffix.lower() in SLICE_NAMES:
            return check_slices(paths)
        header, reader, _ = _header(first)
        if header.packing != "other":
            check_stream(header)
        grid = header.grid or grid_of(_information(first, reader))
        check_geometry(grid)
        return grid


@contextmanager
def _os_errors_in_words(source: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise InputRefused("E_READ", f"{source.name} may not be read by you. Ask for the right to read it.") from None
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise InputRefused("E_READ", f"{source.name[:80]} could not be read ({reason}). Check the disk.") from None
    except ValueError as error:
        if "null byte" not in str(error):
            raise
        raise InputRefused("E_READ", "The path of the image holds a null byte. Check the path.") from None


def _read_file(path: Path) -> Volume:
    header, reader, nifti = _header(path)
    if nifti is not None:
        voxels = nifti_voxels(nifti)
    else:
        voxels = _voxels_by_itk(path, reader) if header.packing == "other" else read_voxels(header)
    return Volume(voxels, header.grid or grid_of(_information(path, reader)), notices=header.notices)


def _header(path: Path) -> tuple[Header, str, NiftiFile | None]:
    """The checked header of a file, the name of ITK's reader for it, and the rescale if it is NIfTI."""
    if not path.is_file():
        raise InputRefused("E_READ", f"There is no file or folder {path.name!r} there. Check the path.")
    if path.stat().st_size == 0:
        raise InputRefused("E_READ", f"{path.name} is empty (0 bytes). {DAMAGED}")
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        nifti = nifti_header(path)
        return nifti.header, "NiftiImageIO", nifti
    if path.suffix.lower() in READERS:
        reader = READERS[path.suffix.lower()]
        return (nrrd_header if reader == "NrrdImageIO" else meta_header)(path), reader, None
    if name.endswith(SLICE_NAMES):
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

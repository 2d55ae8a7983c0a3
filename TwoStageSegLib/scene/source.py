"""The files behind a scan in the scene, looked at once more: Slicer's reader hides what ITK hides.

It shows a truncated NIfTI with zeros, its NaNs as 0 HU, and a series with a missing slice on a straight grid.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputRefused
from ..geometry import Geometry
from ..io.files import check_files
from .frames import Floats, geometry_from_ras, numpy_matrix, vtk_matrix

MAX_OFF = 0.5  # voxels, smallest side, that the scene's grid may be off the files'

# Not about damage: a kind of file that only Slicer reads, or what matters only before a file is read.
_NO_VERDICT = ("E_FORMAT", "E_NO_DICOM", "E_TOO_LARGE", "E_UNSAFE")


def check_source(node: Any) -> None:
    """Refuse a scan whose files are damaged or no straight complete stack, if it is still as it was read.

    A scan without files, with files that are gone or of an unknown kind, or changed since it was read (cropped,
    resampled to a straight grid) passes: there is nothing to compare it with.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode.

    Raises
    ------
    InputRefused : as ``io.read_volume`` does for the same files.
    """
    storage = node.GetStorageNode()
    if storage is None or node.GetModifiedSinceRead():
        return
    listed = [storage.GetNthFileName(i) for i in range(storage.GetNumberOfFileNames())]
    names = listed if len(listed) > 1 else [storage.GetFullNameFromFileName()]
    try:
        stats = [(name, (stat := Path(name).stat()).st_size, stat.st_mtime_ns) for name in names if name]
    except (OSError, ValueError):
        return
    found = _looked_at(tuple(stats)) if stats else None
    if isinstance(found, InputRefused):
        raise InputRefused(found.code, str(found))
    if found is not None:
        _check_place(node, found)


def _check_place(node: Any, of_files: Geometry) -> None:
    """Refuse a grid that is not the files': slices read in another order than they lie in, or a mended placement."""
    matrix = vtk_matrix(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    x, y, z = node.GetImageData().GetDimensions()
    here = geometry_from_ras(numpy_matrix(matrix), (z, y, x))
    ends = [_ends_lps(g) for g in (here, of_files)]
    apart = np.linalg.norm(ends[0][:, None] - ends[1][None], axis=-1)
    off_mm = max(apart.min(0).max(), apart.min(1).max())  # whichever way the axes run
    if off_mm > MAX_OFF * min(of_files.spacing_xyz_mm):
        raise InputRefused(
            "E_GEOMETRY", f"The scan does not lie where its files say ({off_mm:.1f} mm off). Load it again from DICOM."
        )


def _ends_lps(geometry: Geometry) -> Floats:
    """The eight outermost voxel centres, LPS mm, shape (8, 3)."""
    corners = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    return geometry.index_to_lps(corners * (np.asarray(geometry.shape_zyx) - 1))


@lru_cache(maxsize=8)
def _looked_at(files: tuple[tuple[str, int, int], ...]) -> Geometry | InputRefused | None:
    """The grid of files (with size and time of change), or why they are refused; None if there is no verdict.

    Reads them; so remembered.
    """
    try:
        return check_files([Path(name) for name, _, _ in files])
    except InputRefused as error:
        return None if error.code in _NO_VERDICT else error

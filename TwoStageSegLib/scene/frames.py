"""RAS and LPS, VTK matrices and numpy, world and a node's own frame: every change of frame is made here.

Slicer's scene speaks RAS millimetres, the engine LPS. Both are right-handed; x and y change sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..errors import InputRefused
from ..geometry import Geometry

Floats = NDArray[np.float64]
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
"""RAS to LPS and LPS to RAS alike (homogeneous)."""

_SHEAR_TOLERANCE = 1e-3  # cosine between two axes; single-precision headers stay well below


def swap_ras_lps(points: ArrayLike) -> Floats:
    """RAS points ``(..., 3)`` as LPS, or LPS points as RAS, mm."""
    return np.asarray(points, float) * (-1.0, -1.0, 1.0) + 0.0


def numpy_matrix(matrix: vtkMatrix4x4) -> Floats:
    """A VTK matrix as a 4x4 array."""
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def vtk_matrix(array: ArrayLike) -> vtkMatrix4x4:
    """A 4x4 array as a VTK matrix."""
    matrix = vtkMatrix4x4()
    for i, row in enumerate(np.asarray(array, float)):
        for j, value in enumerate(row):
            matrix.SetElement(i, j, float(value))
    return matrix


def local_to_world(node: Any, what: str) -> Floats:
    """The 4x4 RAS matrix from a node's own frame to the world: its chain of parent transforms.

    Parameters
    ----------
    node : a transformable node.
    what : how a message calls it ("image", "segmentation", ...).

    Raises
    ------
    InputRefused
        ``E_TRANSFORM`` if one of the parents is not linear: then voxels are not on a regular grid in the patient.
    """
    parent = node.GetParentTransformNode()
    matrix = vtkMatrix4x4()
    if parent is None:
        return numpy_matrix(matrix)
    if not parent.IsTransformToWorldLinear() or not parent.GetMatrixTransformToWorld(matrix):
        raise InputRefused(
            "E_TRANSFORM",
            f"The {what} is under a non-linear transform, which bends its voxel grid, so millimetres and crops would "
            "be wrong. Take it out of the transform, or resample it (Resample Scalar/Vector/DWI Volume) and use that.",
        )
    return numpy_matrix(matrix)


def geometry_from_ras(ijk_to_ras: Floats, shape_zyx: tuple[int, int, int]) -> Geometry:
    """The grid of an IJK-to-RAS matrix (RAS mm), in LPS.

    Raises
    ------
    InputRefused
        ``E_GEOMETRY`` if an axis has no length or is not finite, or if the axes are not at right angles.
    """
    matrix = FLIP @ ijk_to_ras
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(matrix).all() or spacing.min() < 1e-6:
        raise InputRefused("E_GEOMETRY", "The image has a voxel without size along one axis. Check its spacing.")
    direction = matrix[:3, :3] / spacing + 0.0
    cosines = np.abs(direction.T @ direction - np.eye(3)).max()
    if cosines > _SHEAR_TOLERANCE:
        raise InputRefused(
            "E_GEOMETRY",
            "The image's axes are not at right angles (gantry tilt, or a transform that shears). Resample it to a "
            "regular grid first (Resample Scalar/Vector/DWI Volume) and use that.",
        )
    rows = tuple((float(r[0]), float(r[1]), float(r[2])) for r in direction)
    x, y, z = (float(v) + 0.0 for v in matrix[:3, 3])
    sx, sy, sz = (float(v) for v in spacing)
    return Geometry(shape_zyx, (x, y, z), (sx, sy, sz), rows)


def ras_from_geometry(geometry: Geometry) -> Floats:
    """The IJK-to-RAS matrix of a grid."""
    return FLIP @ geometry.matrix

"""RAS and LPS, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

pytest.importorskip("vtkmodules", reason="VTK is not installed")

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.scene.frames import (
    geometry_from_ras,
    numpy_matrix,
    ras_from_geometry,
    swap_ras_lps,
    vtk_matrix,
)


def test_x_and_y_change_sign() -> None:
    assert swap_ras_lps((1, 2, 3)).tolist() == [-1, -2, 3]
    assert swap_ras_lps([[0, -5, 1.5], [1, 1, 1]]).tolist() == [[0, 5, 1.5], [-1, -1, 1]]


def test_the_usual_axial_ct_by_hand() -> None:
    # Slicer's IJKToRAS of a head-first supine axial CT: columns run to the left and to the back, so -x and -y in RAS
    matrix = np.array([[-0.9, 0, 0, 200], [0, -1.1, 0, 150], [0, 0, 2.5, -640], [0, 0, 0, 1.0]])
    geometry = geometry_from_ras(matrix, (40, 50, 60))
    assert geometry == Geometry((40, 50, 60), (-200.0, -150.0, -640.0), (0.9, 1.1, 2.5))
    assert np.allclose(geometry.index_to_lps((2, 3, 4)), (-200 + 4 * 0.9, -150 + 3 * 1.1, -640 + 2 * 2.5))


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 10)] * 3),
    origin=st.tuples(*[st.floats(-2000, 2000)] * 3),
    left_handed=st.booleans(),
)
def test_any_grid_survives_the_way_there_and_back(angles, spacing, origin, left_handed) -> None:
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * (1, 1, -1 if left_handed else 1)
    rows = tuple((float(r[0]), float(r[1]), float(r[2])) for r in axes)
    geometry = Geometry((3, 4, 5), origin, spacing, rows)
    back = geometry_from_ras(numpy_matrix(vtk_matrix(ras_from_geometry(geometry))), (3, 4, 5))
    assert np.allclose(back.matrix, geometry.matrix, atol=1e-9)
    assert np.allclose(back.spacing_xyz_mm, spacing)


def test_impossible_grids_are_refused() -> None:
    shear, flat, nan = np.eye(4), np.eye(4), np.eye(4)
    shear[0, 1] = 0.01
    flat[2, 2] = 0
    nan[0, 3] = np.nan
    for matrix, word in ((shear, "right angles"), (flat, "size"), (nan, "size")):
        with pytest.raises(InputRefused, match=word) as caught:
            geometry_from_ras(matrix, (2, 2, 2))
        assert caught.value.code == "E_GEOMETRY"

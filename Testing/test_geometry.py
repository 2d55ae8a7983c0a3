"""Geometry: indices to millimetres and back; 48 orientations of a scan become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from TwoStageSegLib.geometry import Geometry, rounded, standardise

from .harness.orientations import all_48, geometries, grid

AXIAL = Geometry((5, 6, 7), (10.0, 20.0, 30.0), (1.0, 2.0, 3.0))


def image_of(geometry: Geometry) -> SimpleITK.Image:
    z, y, x = geometry.shape_zyx
    image = SimpleITK.Image(x, y, z, SimpleITK.sitkUInt8)
    image.SetOrigin(geometry.origin_lps)
    image.SetSpacing(geometry.spacing_xyz_mm)
    image.SetDirection(np.ravel(geometry.direction).tolist())
    return image


def test_index_to_lps_by_hand():
    assert AXIAL.index_to_lps((0, 0, 0)).tolist() == [10, 20, 30]
    assert AXIAL.index_to_lps((2, 1, 3)).tolist() == [10 + 3 * 1, 20 + 1 * 2, 30 + 2 * 3]
    # a sagittal stack: x runs back (+y), y runs up (+z), slices run left (+x)
    sagittal = Geometry((5, 6, 7), (10.0, 20.0, 30.0), (1.0, 2.0, 3.0), ((0, 0, 1), (1, 0, 0), (0, 1, 0)))
    assert sagittal.index_to_lps((2, 1, 3)).tolist() == [10 + 2 * 3, 20 + 3 * 1, 30 + 1 * 2]


def test_sizes_by_hand():
    assert AXIAL.spacing_zyx_mm == (3.0, 2.0, 1.0)
    assert AXIAL.extent_zyx_mm.tolist() == [15, 12, 7]
    assert AXIAL.voxel_ml == pytest.approx(0.006)


def test_contains_ends_half_a_voxel_beyond_the_outer_centres():
    assert AXIAL.contains((9.5, 19.0, 28.5)) and AXIAL.contains((16.5, 31.0, 43.5))
    assert (
        not AXIAL.contains((9.49, 20, 30))
        and not AXIAL.contains((10, 31.02, 30))
        and not AXIAL.contains((10, 20, 43.6))
    )


@given(geometries(), st.lists(st.tuples(*[st.floats(-50, 80)] * 3), min_size=1, max_size=5))
def test_index_lps_round_trip(geometry, indices):
    points = geometry.index_to_lps(indices)
    assert points.shape == (len(indices), 3)
    np.testing.assert_allclose(geometry.lps_to_index(points), indices, atol=1e-7)
    np.testing.assert_allclose(geometry.lps_to_index(points[0]), indices[0], atol=1e-7)


@settings(max_examples=50)
@given(geometries(), st.tuples(*[st.integers(-5, 50)] * 3))
def test_index_to_lps_agrees_with_simpleitk(geometry, index):
    z, y, x = index
    expected = image_of(geometry).TransformContinuousIndexToPhysicalPoint((float(x), float(y), float(z)))
    np.testing.assert_allclose(geometry.index_to_lps(index), expected, atol=1e-6)


@settings(max_examples=50)
@given(geometries(max_size=9))
def test_axis_map_is_a_view_that_undoes_itself(geometry):
    voxels = np.arange(np.prod(geometry.shape_zyx)).reshape(geometry.shape_zyx)
    axis_map, standard = standardise(geometry)
    turned = axis_map.to_standard(voxels)
    assert turned.shape == standard.shape_zyx
    assert np.shares_memory(turned, voxels)
    np.testing.assert_array_equal(axis_map.to_input(turned), voxels)


@settings(max_examples=50)
@given(geometries(max_size=9), st.data())
def test_a_voxel_stays_where_it_is_in_the_patient(geometry, data):
    voxels = np.arange(np.prod(geometry.shape_zyx)).reshape(geometry.shape_zyx)
    axis_map, standard = standardise(geometry)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in standard.shape_zyx)
    value = axis_map.to_standard(voxels)[index]
    where = np.argwhere(voxels == value)[0]
    np.testing.assert_allclose(standard.index_to_lps(index), geometry.index_to_lps(where), atol=2e-6)


@settings(max_examples=50)
@given(geometries(max_size=9), st.data())
def test_start_to_input_finds_the_crop(geometry, data):
    voxels = np.arange(np.prod(geometry.shape_zyx)).reshape(geometry.shape_zyx)
    axis_map, standard = standardise(geometry)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in standard.shape_zyx)
    shape = tuple(data.draw(st.integers(1, n - s)) for n, s in zip(standard.shape_zyx, start, strict=True))
    crop = axis_map.to_standard(voxels)[tuple(slice(s, s + k) for s, k in zip(start, shape, strict=True))]
    begin = axis_map.start_to_input(start, shape, standard.shape_zyx)
    in_input = axis_map.to_input(crop)
    found = voxels[tuple(slice(b, b + k) for b, k in zip(begin, in_input.shape, strict=True))]
    np.testing.assert_array_equal(found, in_input)


@given(geometries())
def test_the_standard_grid_is_right_handed_and_nearly_lps(geometry):
    _, standard = standardise(geometry)
    direction = np.asarray(standard.direction)
    assert np.linalg.det(direction) == pytest.approx(1)
    assert (np.diagonal(direction) >= 0).all()
    assert np.trace(direction) > 1.9  # no rotation is farther than 62.8 degrees from the nearest of the 24 upright ones


@pytest.mark.parametrize("angles", [(0, 0, 0), (12, -20, 31), (0, 0, 45), (45, 0, 0), (30, 45, 60)])
@pytest.mark.parametrize("spacing", [(1, 2, 3), (0.9765625, 0.9765625, 2.5)])
@pytest.mark.parametrize("origin", [(-250.1, -249.0234375, 17.3), (0.0, 0.0, 0.0), (1 / 3, -1e-7, 500.0)])
def test_48_orientations_become_one(angles, spacing, origin):
    direction = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().round(12)
    scan = np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)
    results = []
    for voxels, geometry in all_48(scan, grid(scan.shape, origin, spacing, direction)):
        axis_map, standard = standardise(geometry)
        results.append((standard, axis_map.to_standard(voxels)))
    assert len(results) == 48
    first_grid, first_voxels = results[0]
    for standard, voxels in results[1:]:
        assert standard == first_grid  # every bit
        np.testing.assert_array_equal(voxels, first_voxels)


def test_an_upright_scan_is_left_as_it_is():
    axis_map, standard = standardise(AXIAL)
    assert (axis_map.order, axis_map.flip) == ((0, 1, 2), (False, False, False))
    assert standard == AXIAL


def test_a_ras_nifti_is_flipped_in_x_and_y():
    ras = replace(AXIAL, direction=((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)))
    axis_map, standard = standardise(ras)
    assert (axis_map.order, axis_map.flip) == ((0, 1, 2), (False, True, True))
    assert standard.origin_lps == (10 - 6 * 1, 20 - 5 * 2, 30)
    assert standard.direction == AXIAL.direction


def test_rounded_is_a_nanometre_and_never_at_a_tie_for_usual_spacings():
    assert np.abs(rounded([0.1, -250.1]) - [0.1, -250.1]).max() <= 2**-21
    coordinates = np.arange(-512, 512) * 0.9765625
    assert (rounded(coordinates + 1e-13) == rounded(coordinates - 1e-13)).all()


@settings(max_examples=50)
@given(geometries(max_size=9), st.data())
def test_start_to_standard_undoes_start_to_input(geometry, data):
    axis_map, standard = standardise(geometry)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in standard.shape_zyx)
    shape = tuple(data.draw(st.integers(1, n - s)) for n, s in zip(standard.shape_zyx, start, strict=True))
    begin = axis_map.start_to_input(start, shape, standard.shape_zyx)
    in_input = axis_map.to_input(np.zeros(shape)).shape
    assert axis_map.start_to_standard(begin, in_input, geometry.shape_zyx) == start

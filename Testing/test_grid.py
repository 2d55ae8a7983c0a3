"""Crops: sampled as SimpleITK's linear interpolation does, constant where the scan is, and put back in place."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from TwoStageSegLib.geometry import standardise
from TwoStageSegLib.grid import Grid, place, sample
from TwoStageSegLib.volume import Volume

from .harness.orientations import all_48, geometries, grid

OBLIQUE = Rotation.from_euler("xyz", [12, -20, 31], degrees=True).as_matrix()
STEPS = st.floats(0.3, 6)
GRIDS = st.builds(
    Grid,
    st.tuples(*[st.floats(-12, 25)] * 3),
    st.tuples(STEPS, STEPS, STEPS),
    st.tuples(*[st.integers(1, 12)] * 3),
)


def triangle_by_hand(voxels: np.ndarray, axis_grid: Grid, outside: float) -> np.ndarray:
    """The definition, one sample and one axis at a time, in double precision."""
    out = voxels.astype(float)
    inside = np.ones(axis_grid.shape)
    for axis in range(3):
        n = voxels.shape[axis]
        rows = []
        for k in range(axis_grid.shape[axis]):
            position = axis_grid.start[axis] + k * axis_grid.step[axis]
            if not -0.5 <= position <= n - 0.5:
                np.moveaxis(inside, axis, 0)[k] = 0
                rows.append(np.zeros_like(np.take(out, 0, axis)))
                continue
            reach = max(1.0, axis_grid.step[axis])
            weight = np.clip(1 - np.abs(np.arange(n) - min(max(position, 0), n - 1)) / reach, 0, None)
            rows.append(np.tensordot(weight / weight.sum(), out, (0, axis)))
        out = np.stack(rows, axis)
    return np.where(inside > 0, out, outside)


@settings(max_examples=60)
@given(GRIDS, st.integers(0, 2**32 - 1))
def test_sample_is_the_triangle_filter_of_its_definition(wanted, seed):
    voxels = np.random.default_rng(seed).integers(-1024, 3000, (7, 9, 13)).astype(np.int16)
    got = sample(voxels, wanted, -1024.0)
    assert got.dtype == np.float32 and got.shape == wanted.shape
    np.testing.assert_allclose(got, triangle_by_hand(voxels, wanted, -1024.0), atol=2e-3)


def test_sample_agrees_with_simpleitk_on_an_oblique_scan():
    rng = np.random.default_rng(1)
    voxels = rng.uniform(-1000, 1000, (12, 14, 16)).astype(np.float32)
    geometry = grid(voxels.shape, (-31.5, 12.25, -640.0), (0.9, 1.1, 2.5), OBLIQUE)
    _, standard = standardise(geometry)
    assert standard.shape_zyx == voxels.shape  # not turned: the crop below lies in the array's own axes
    centre = geometry.index_to_lps((5.3, 6.6, 7.2))
    wanted = Grid.centred(standard, centre, (1.3, 0.8, 0.7), (8, 9, 10))
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetOrigin(geometry.origin_lps)
    image.SetSpacing(geometry.spacing_xyz_mm)
    image.SetDirection(OBLIQUE.ravel().tolist())
    resample = SimpleITK.ResampleImageFilter()
    resample.SetInterpolator(SimpleITK.sitkLinear)
    resample.SetOutputOrigin(wanted.to_lps(standard, (0, 0, 0)).tolist())
    resample.SetOutputSpacing((0.7, 0.8, 1.3))
    resample.SetOutputDirection(OBLIQUE.ravel().tolist())
    resample.SetSize((10, 9, 8))
    expected = SimpleITK.GetArrayFromImage(resample.Execute(image))
    np.testing.assert_allclose(sample(voxels, wanted, -1024.0), expected, atol=1e-3)


def test_grid_centred_by_hand():
    geometry = grid((10, 20, 30), (0, 0, 0), (1, 2, 4), np.eye(3))
    crop = Grid.centred(geometry, (10.0, 8.0, 12.0), (2.0, 2.0, 2.0), (3, 4, 5))
    assert crop.step == (0.5, 1.0, 2.0)
    assert crop.start == (3 - 0.5, 4 - 1.5, 10 - 4)  # centre index (3, 4, 10) less half of (n - 1) steps
    np.testing.assert_allclose(crop.to_lps(geometry, (1, 1.5, 2)), (10, 8, 12))


@settings(max_examples=40)
@given(geometries(), GRIDS)
def test_inverse_gives_the_voxels_own_positions(geometry, crop):
    back = crop.inverse((3, 1, 2), (4, 4, 4))
    index = np.array([1, 2, 3])
    in_crop = np.asarray(back.start) + index * np.asarray(back.step)
    np.testing.assert_allclose(
        crop.to_lps(geometry, in_crop), geometry.index_to_lps(np.array([3, 1, 2]) + index), atol=1e-6
    )


@settings(max_examples=40)
@given(GRIDS, st.sampled_from([-1024, 0, 37, 3071]))
def test_a_constant_scan_stays_constant_and_outside_is_outside(wanted, value):
    got = sample(np.full((10, 11, 12), value, np.int16), wanted, -2000.0)
    inside = np.ones(wanted.shape, bool)
    for axis, n in enumerate((10, 11, 12)):
        position = wanted.start[axis] + np.arange(wanted.shape[axis]) * wanted.step[axis]
        shape = [1, 1, 1]
        shape[axis] = -1
        inside &= ((position >= -0.5) & (position <= n - 0.5)).reshape(shape)
    np.testing.assert_allclose(got, np.where(inside, value, -2000), atol=1e-3)


def test_a_grid_far_outside_is_all_outside():
    got = sample(np.zeros((5, 5, 5), np.int16), Grid((50, 0, 0), (1, 1, 1), (2, 3, 4)), -1024.0)
    np.testing.assert_array_equal(got, np.full((2, 3, 4), -1024, np.float32))


def test_padding_below_the_floor_counts_as_air():
    rng = np.random.default_rng(2)
    clipped = rng.integers(-1024, 500, (8, 20, 20)).astype(np.int16)
    clipped[:, :6] = -1024
    padded = np.where(clipped == -1024, -3024, clipped).astype(np.int16)
    for step in (0.6, 1.0, 3.2):
        wanted = Grid((0.2, 1.3, 0.7), (step, step, step), (4, 5, 5))
        expected = sample(clipped, wanted, -1024.0)
        np.testing.assert_array_equal(sample(padded, wanted, -1024.0, floor=-1024.0), expected)
        assert sample(padded, wanted, -1024.0).min() < -1100  # without the floor it leaks
    assert padded.min() == -3024  # the scan itself is left as it is


@settings(max_examples=60)
@given(st.tuples(*[st.floats(0.3, 9.0)] * 3), st.tuples(*[st.floats(-2.0, 20.0)] * 3))
def test_thinned_is_the_same_up_to_its_centre_of_mass(step, start):
    """A ramp shows where the weights lie: within 0.05 steps of where they lie when all voxels are read."""
    z, y, x = np.meshgrid(np.arange(60), np.arange(70), np.arange(80), indexing="ij")
    wanted = Grid(start, step, (6, 5, 4))
    for ramp, along in ((z, 0), (y, 1), (x, 2)):
        voxels = ramp.astype(np.int16)
        whole, thinned = sample(voxels, wanted, 0.0), sample(voxels, wanted, 0.0, thinned=True)
        middle = np.asarray(wanted.start)[along] + np.arange(wanted.shape[along]) * step[along]
        inner = (middle >= step[along] + 1) & (middle <= voxels.shape[along] - 2 - step[along])
        apart = np.abs(np.moveaxis(thinned - whole, along, 0)[inner])
        assert not apart.size or apart.max() <= 0.05 * step[along] + 1e-3
        if step[along] < 4:
            np.testing.assert_allclose(thinned, whole, atol=2e-3)


def test_thinned_reads_the_same_voxels_for_a_part_of_a_grid():
    """Which rows are read depends on the array, not on where the grid begins."""
    voxels = np.random.default_rng(6).integers(-1000, 2000, (40, 90, 90)).astype(np.int16)
    whole = Grid((0.4, 1.2, 1.7), (4.6, 6.1, 6.1), (8, 14, 14))
    part = whole.cut((slice(2, 6), slice(3, 11), slice(1, 9)))
    expected = sample(voxels, whole, -1024.0, thinned=True)[2:6, 3:11, 1:9]
    np.testing.assert_allclose(sample(voxels, part, -1024.0, thinned=True), expected, rtol=1e-5, atol=1e-3)
    assert np.abs(expected - sample(voxels, part, -1024.0)).max() > 1  # noise: fewer voxels, another mean


def test_integers_floats_and_byte_orders_give_the_same():
    values = np.random.default_rng(3).integers(0, 250, (6, 7, 8))
    wanted = Grid((0.5, 0.25, 0.3), (1.5, 0.7, 2.2), (3, 8, 3))
    expected = sample(values.astype(np.float32), wanted, 0.0)
    for dtype in ("u1", "i2", ">i2", "u2", "i4", "i8", "f8", ">f4"):
        np.testing.assert_array_equal(sample(values.astype(dtype), wanted, 0.0), expected)


@pytest.mark.parametrize("direction", [np.eye(3), OBLIQUE])
def test_48_orientations_give_the_same_bits(direction):
    rng = np.random.default_rng(4)
    scan = rng.integers(-1024, 3000, (40, 97, 83)).astype(np.int16)
    centre = None
    results = set()
    for voxels, geometry in all_48(
        scan, grid(scan.shape, (-250.1, -249.0234375, 17.3), (0.9765625, 0.9765625, 2.5), direction)
    ):
        standard = Volume(voxels, geometry).standard
        if centre is None:
            centre = standard.geometry.index_to_lps((21.3, 40.1, 44.4))
        parts = []
        for spacing, shape in ((6.0, (20, 18, 16)), (0.7, (16, 16, 16))):
            crop = Grid.centred(standard.geometry, centre, (spacing,) * 3, shape)
            patch = sample(standard.voxels, crop, -1024.0, floor=-1024.0)
            first, values = place(patch, crop, standard.voxels.shape)
            parts += [patch.tobytes(), repr(first).encode(), values.tobytes()]
        results.add(b"".join(parts))
    assert len(results) == 1


@settings(max_examples=60)
@given(
    st.tuples(*[st.floats(-3, 12)] * 3),
    st.tuples(*[st.floats(0.4, 3)] * 3),
    st.tuples(*[st.integers(4, 12)] * 3),
)
def test_place_puts_a_linear_ramp_back(start, step, shape):
    """The crop of a ramp, put back, is the ramp: within the outer sample centres, where nothing is extrapolated."""
    scan_shape = (20, 22, 24)
    crop = Grid(start, step, shape)
    axes = [s + d * np.arange(n) for s, d, n in zip(start, step, shape, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    ramp = (3 * z - 2 * y + 5 * x).astype(np.float32)
    first, values = place(ramp, crop, scan_shape)
    index = [f + np.arange(n) for f, n in zip(first, values.shape, strict=True)]
    for i, (s, d, n, whole) in enumerate(zip(start, step, shape, scan_shape, strict=True)):
        # every voxel of the scan whose centre lies in the crop (half a step around its samples), and no other
        wanted = [k for k in range(whole) if s - d / 2 - 1e-6 <= k <= s + (n - 0.5) * d + 1e-6]
        assert values.size == 0 or list(index[i]) == wanted
    if values.size == 0:
        return
    # Where the crop is finer than the voxels the triangle is wider than a sample: whole only away from the crop's ends,
    # and its centre of mass is up to 0.09 samples off the middle, because a sum replaces an integral.
    wide = [1 / d if d < 1 else 0.0 for d in step]
    well_inside = [
        (k >= s + w * d) & (k <= s + (n - 1 - w) * d)
        for k, s, d, n, w in zip(index, start, step, shape, wide, strict=True)
    ]
    tolerance = 2e-3 + sum(0.09 * d * slope for d, slope in zip(step, (3, 2, 5), strict=True) if d < 1)
    expected = 3 * index[0][:, None, None] - 2 * index[1][None, :, None] + 5 * index[2][None, None, :]
    keep = np.ix_(*well_inside)
    np.testing.assert_allclose(values[keep], expected[keep], atol=tolerance)


def test_place_outside_the_scan_is_empty():
    first, values = place(np.ones((4, 4, 4), np.float32), Grid((30.0, 0, 0), (1.0, 1, 1), (4, 4, 4)), (10, 10, 10))
    assert values.size == 0 and len(first) == 3


def test_place_covers_a_constant_crop_up_to_half_a_step():
    first, values = place(
        np.ones((2, 2, 2), np.float32), Grid((4.0, 4.0, 4.0), (3.0, 3.0, 3.0), (2, 2, 2)), (20, 20, 20)
    )
    assert first == (3, 3, 3)  # 4 - 1.5 = 2.5 .. 7 + 1.5 = 8.5
    np.testing.assert_allclose(values, np.ones((6, 6, 6)), atol=1e-6)


def test_the_coarse_grid_of_a_planning_ct_takes_little_memory():
    scan = np.full((60, 512, 512), -1000, np.int16)  # 31 MB; as float32 63 MB
    tracemalloc.start()
    coarse = sample(scan, Grid((0.5, 2.5, 2.5), (2.4, 6.0, 6.0), (25, 85, 85)), -1024.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert coarse.shape == (25, 85, 85)
    assert peak < 10e6


def test_a_part_of_a_grid_has_the_same_samples() -> None:
    whole = Grid((1.5, -2.0, 0.0), (2.0, 0.5, 3.0), (8, 9, 10))
    part = whole.cut((slice(2, 5), slice(0, 9), slice(9, 10)))
    assert part == Grid((5.5, -2.0, 27.0), (2.0, 0.5, 3.0), (3, 9, 1))
    voxels = np.random.default_rng(4).integers(-1000, 1000, (20, 10, 30)).astype(np.int16)
    assert np.allclose(sample(voxels, part, 0.0), sample(voxels, whole, 0.0)[2:5, :, 9:], atol=1e-3)


def test_the_samples_over_a_part_of_the_array() -> None:
    whole = Grid((1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (5, 5, 5))  # at 1, 3, 5, 7, 9
    part = whole.over((3.0, 3.5, -10.0), (5.0, 5.5, 100.0))
    assert part.start == (3.0, 3.0, 1.0)
    assert part.shape == (2, 3, 5)  # 3, 5; 3, 5, 7; all
    assert whole.over((50.0, 50.0, 50.0), (60.0, 60.0, 60.0)).shape == (1, 1, 1)

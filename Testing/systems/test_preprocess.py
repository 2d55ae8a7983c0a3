"""Preprocessing: CT in its own units as before, other images in thousandths of their own range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.grid import Grid, sample
from TwoStageSegLib.manifest import InputSpec
from TwoStageSegLib.systems.coarse import coarse_body
from TwoStageSegLib.systems.preprocess import PERCENTILES, Preprocess, value_range
from TwoStageSegLib.volume import Volume

SHAPE = (12, 14, 16)
GEOMETRY = Geometry(SHAPE, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0))
CT = InputSpec("CT", [-300.0, 700.0], 0.0, 150.0, -1024.0)
MR = InputSpec("MR", [-200.0, 1500.0], 500.0, 250.0, 0.0, list(PERCENTILES))
GRID = Grid((-2.0, 0.0, 0.5), (1.5, 2.0, 1.0), (8, 6, 20))  # reaches out of the image at both ends of z and x


def scan(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(3.0, 100.0, SHAPE).astype(np.float32) + 5


def test_the_range_by_hand() -> None:
    """0 .. 1000 in order: percentile 1 of 1 .. 1000 (the smallest does not count) is 10.99, percentile 99 is 990.01."""
    voxels = np.arange(1001, dtype=np.int16).reshape(7, 11, 13)
    assert value_range(voxels, (1, 99)) == pytest.approx((10.99, 990.01))


def test_what_is_blanked_does_not_count() -> None:
    voxels = scan()
    more = np.concatenate([voxels, np.full_like(voxels, 0.0)])
    assert value_range(more, PERCENTILES) == pytest.approx(
        value_range(np.append(voxels.ravel(), 0).reshape(1, 1, -1), PERCENTILES)
    )


@pytest.mark.parametrize("voxels", [np.zeros(SHAPE), np.where(np.arange(np.prod(SHAPE)).reshape(SHAPE) > 9, 7.0, 0.0)])
def test_an_image_without_a_range_is_refused(voxels: np.ndarray) -> None:
    with pytest.raises(InputRefused) as caught:
        value_range(voxels, PERCENTILES)
    assert caught.value.code == "E_NO_SIGNAL"


def test_ct_is_sampled_as_before() -> None:
    hu = (scan() - 1500).astype(np.int16)
    expected = sample(hu, GRID, -1024.0, floor=-1024.0)
    preprocess = Preprocess(CT)
    assert np.array_equal(preprocess.sampled(Volume(hu, GEOMETRY, "CT"), GRID), expected)
    assert np.array_equal(preprocess.image(Volume(hu, GEOMETRY), GRID), np.clip(expected, -300, 700) / np.float32(150))


def test_an_image_of_another_kind_without_percentiles_keeps_its_units() -> None:
    plain = InputSpec("MR", [0.0, 500.0], 0.0, 1.0, 3.0)
    assert np.array_equal(Preprocess(plain).sampled(Volume(scan(), GEOMETRY), GRID), sample(scan(), GRID, 3.0))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-500, 5000))
def test_scale_and_offset_of_an_mr_do_not_matter(scale: float, offset: float) -> None:
    one = Preprocess(MR).image(Volume(scan(), GEOMETRY, "MR"), GRID)
    other = Preprocess(MR).image(Volume(scan().astype(np.float64) * scale + offset, GEOMETRY, "MR"), GRID)
    assert np.abs(one - other).max() < 0.02 + 2e-3 * abs(offset) / scale / 100  # float32 of large offsets


def test_beyond_the_image_lies_the_low_end() -> None:
    found = Preprocess(MR).sampled(Volume(scan(), GEOMETRY, "MR"), GRID)
    assert np.abs(found[0]).max() < 0.01  # z index -2
    low, high = value_range(scan(), PERCENTILES)
    assert found[2, 3, 4] == pytest.approx(
        float(sample(scan(), GRID, 0.0)[2, 3, 4] - low) / (high - low) * 1000, abs=0.1
    )


def test_every_volume_has_its_own_range() -> None:
    preprocess = Preprocess(MR)
    first, second = Volume(scan(), GEOMETRY), Volume(scan() * 10, GEOMETRY)
    grid = Grid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), SHAPE)
    assert np.allclose(preprocess.sampled(first, grid), preprocess.sampled(second, grid), atol=0.05)
    assert len(preprocess._ranges) == 2
    del first, second
    assert len(preprocess._ranges) == 0  # no volume is kept for its range


def test_the_whole_of_an_mr_is_looked_at() -> None:
    """Nothing in an MR tells air from tissue as -300 HU does: the locator takes all of it."""
    found = coarse_body(Volume(scan(), GEOMETRY, "MR"), (2.0, 2.0, 2.0), Preprocess(MR))
    assert found is not None and found[1].shape == (12, 7, 8)  # 24, 14 and 16 mm

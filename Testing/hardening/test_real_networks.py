"""Odd input through real networks (untrained ones, whose answers follow every voxel; the shipped phantom's if slow)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Result
from TwoStageSegLib.region import Region
from TwoStageSegLib.volume import Volume

from .scans import body, scan

GRID = Geometry((24, 24, 28), scan().origin, scan().spacing)


@pytest.fixture(scope="module")
def pipeline(stand_in) -> Pipeline:
    return Pipeline(load_model(stand_in), "cpu")


def masks(result: Result) -> dict[str, NDArray[np.bool_]]:
    return {o.organ: o.mask.full() for o in result.organs if o.mask is not None}


def test_padding_counts_as_air(pipeline):
    """-2000 or -3024 beyond the scanner's field of view: the very voxels that -1024 gives."""
    air = body() <= -1000
    found = [masks(pipeline.run(Volume(np.where(air, v, body()), GRID, "CT"))) for v in (-1024, -2000, -3024)]
    assert found[0] and any(mask.any() and not mask.all() for mask in found[0].values())
    for other in found[1:]:
        assert set(other) == set(found[0])
        assert all(np.array_equal(other[organ], found[0][organ]) for organ in other)


def test_clicks_at_every_corner(pipeline):
    """The crop hangs over the scan's end; the mask stays within the scan."""
    volume = Volume(body(), GRID, "CT")
    for corner in product((-0.49, 23.49), (-0.49, 23.49), (-0.49, 27.49)):
        region = Region.click("Parotid_L", GRID.index_to_lps(corner))
        (organ,) = pipeline.run(volume, ["Parotid_L"], {"Parotid_L": region}).organs
        if organ.mask is not None:
            end = np.add(organ.mask.start_zyx, organ.mask.voxels.shape)
            assert min(organ.mask.start_zyx) >= 0 and (end <= GRID.shape_zyx).all()


@pytest.mark.slow
def test_a_gland_that_is_gone(tiny_bundle):
    """One network segments both parotids, the left one mirrored: without the left gland it must not find the right."""
    from TwoStageSegLib.sample.phantom import generate

    if tiny_bundle.name != "phantom":
        pytest.skip("the bundle Resources/models/phantom is not here")
    phantom = generate(7, surroundings=False)
    voxels = phantom.volume.voxels.copy()
    gland, other = phantom.masks["Parotid_L"], phantom.masks["Parotid_R"]
    voxels[gland.slices_zyx][gland.voxels] = 45
    pipe = Pipeline(load_model(tiny_bundle), "cpu")
    result = pipe.run(Volume(voxels, phantom.volume.geometry, "CT"), ["Parotid_L", "Parotid_R"])
    found = masks(result)
    assert "Parotid_R" in found
    right = other.full()
    assert np.count_nonzero(found["Parotid_R"] & right) > 0.7 * np.count_nonzero(right)
    if "Parotid_L" in found:  # whatever it makes of the place, it is not the gland of the other side
        assert not (found["Parotid_L"] & right).any()
        assert found["Parotid_L"].nonzero()[2].mean() > found["Parotid_R"].nonzero()[2].mean()

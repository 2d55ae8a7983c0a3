"""Volume: refused when voxels and grid disagree; the standard view; what lies beyond the image."""

from __future__ import annotations

import numpy as np
import pytest

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.volume import Volume, outside_value

GRID = Geometry((4, 5, 6), (0.0, 0.0, 0.0), (1.0, 1.25, 2.5), ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


def test_two_dimensions_are_refused():
    with pytest.raises(InputRefused) as refused:
        Volume(np.zeros((5, 6)), GRID)
    assert (refused.value.code, refused.value.exit_code) == ("E_DIM", 3)


def test_voxels_must_fit_the_grid():
    with pytest.raises(InputRefused) as refused:
        Volume(np.zeros((6, 5, 4)), GRID)
    assert refused.value.code == "E_GEOMETRY"


def test_the_standard_view_shares_memory():
    volume = Volume(np.arange(120, dtype=np.int16).reshape(4, 5, 6), GRID)
    assert np.shares_memory(volume.standard.voxels, volume.voxels)
    np.testing.assert_array_equal(volume.standard.voxels, volume.voxels[:, :, ::-1])
    assert volume.standard.geometry.origin_lps == (-5.0, 0.0, 0.0)


def test_size_text():
    assert Volume(np.zeros((4, 5, 6)), GRID).size_text == "6 x 5 x 4 · 1 x 1.25 x 2.5 mm"


@pytest.mark.parametrize(
    ("values", "expected"), [((-1000, 40), -1024), ((-3024, 40), -1024), ((3, 900), 3), ((-47, 800), -47)]
)
def test_outside_is_air_for_ct_and_the_smallest_value_otherwise(values, expected):
    for place in np.ndindex(4, 5, 6):  # wherever the only dark voxel lies, in every slice
        voxels = np.full((4, 5, 6), values[1], np.int16)
        voxels[place] = values[0]
        assert outside_value(voxels) == expected

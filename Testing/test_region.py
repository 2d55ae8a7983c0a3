"""Region: what a box and a click become, what is refused, and JSON there and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.region import Kind, Region, Source, Status

GRID = Geometry((10, 20, 30), (-15.0, -10.0, 100.0), (1.0, 1.0, 2.0))  # x -15..14, y -10..9, z 100..118
OBLIQUE = ((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))  # rotated about z: sine 0.6, cosine 0.8


def test_a_box_has_a_centre_and_a_size():
    box = Region.box("Larynx", (-10, 10, 0, 30, -5, 5))
    assert (box.kind, box.source, box.status, box.score) == (Kind.BOX, Source.BOX, Status.LOCATED, 1.0)
    assert box.centre_lps == (0, 15, 0)
    assert box.size_mm == (20, 30, 10)
    assert box.bounds_lps == (-10, 10, 0, 30, -5, 5)


@given(st.lists(st.floats(-500, 500), min_size=6, max_size=6))
def test_swapped_ends_are_put_in_order(bounds):
    pairs = np.reshape(bounds, (3, 2))
    if (np.ptp(pairs, 1) < 0.1).any():
        with pytest.raises(InputRefused):
            Region.box("Larynx", bounds)
        return
    swapped = Region.box("Larynx", pairs[:, ::-1].ravel())
    assert swapped == Region.box("Larynx", bounds)
    expected = np.column_stack([pairs.min(1), pairs.max(1)]).ravel()
    np.testing.assert_allclose(swapped.bounds_lps, expected, atol=1e-9)


@pytest.mark.parametrize(
    "bounds",
    [
        (0, 0, 0, 9, 0, 9),
        (0, 9, 0, 9, 5, 5.09),
        (0, float("nan"), 0, 9, 0, 9),
        (0, 9, 0, float("inf"), 0, 9),
        (0, 9, 0, 9),
        "box",
    ],
)
def test_a_box_without_size_or_numbers_is_refused(bounds):
    with pytest.raises(InputRefused) as refused:
        Region.box("Larynx", bounds)
    assert refused.value.code == "E_BOX"
    assert "Larynx" in str(refused.value) and "\n" not in str(refused.value)


def test_a_click_is_a_centre():
    click = Region.click("Brainstem", (1, 2, 3))
    assert (click.kind, click.source, click.centre_lps, click.size_mm) == (Kind.CENTRE, Source.CLICK, (1, 2, 3), None)
    assert click.usable and click.bounds_lps is None


@pytest.mark.parametrize("point", [(1, 2, float("nan")), (1, 2, float("inf")), (1, 2), (1, 2, 3, 4), "abc"])
def test_a_click_without_three_numbers_is_refused(point):
    with pytest.raises(InputRefused) as refused:
        Region.click("Brainstem", point)
    assert refused.value.code == "E_POINT"


def test_not_located_is_a_result():
    missing = Region.not_located("Esophagus", 0.2)
    assert (missing.status, missing.usable, missing.score, missing.source) == (
        Status.NOT_LOCATED,
        False,
        0.2,
        Source.AUTO,
    )
    missing.check_inside(GRID)  # nothing to refuse


def test_padded_by_one_number_and_by_three():
    box = Region.box("Larynx", (-10, 10, 0, 30, -5, 5))
    assert box.padded(5).bounds_lps == (-15, 15, -5, 35, -10, 10)
    assert box.padded((1, 2, 3)).bounds_lps == (-11, 11, -2, 32, -8, 8)
    assert box.padded(5).organ == "Larynx"
    click = Region.click("Larynx", (0, 0, 0))
    assert click.padded(5) is click


def test_bounds_and_corners_of_an_oblique_box_by_hand():
    box = Region("Larynx", Kind.BOX, Source.BOX, centre_lps=(1, 2, 3), size_mm=(10, 20, 30), axes=OBLIQUE)
    # half sizes 5, 10, 15: x reaches 0.8*5 + 0.6*10 = 10, y 0.6*5 + 0.8*10 = 11
    assert box.bounds_lps == pytest.approx((-9, 11, -9, 13, -12, 18))
    corners = box.corners_lps()
    assert corners.shape == (8, 3)
    np.testing.assert_allclose(corners.min(0), (-9, -9, -12))
    np.testing.assert_allclose(corners.max(0), (11, 13, 18))
    # the corner at (+5, +10, +15) along the box's own axes
    assert any(np.allclose(c, (1 + 0.8 * 5 - 0.6 * 10, 2 + 0.6 * 5 + 0.8 * 10, 18)) for c in corners)


@pytest.mark.parametrize("point", [(-15.5, -10.5, 99), (14.5, 9.5, 119), (0, 0, 110)])
def test_a_click_up_to_the_outer_voxel_faces_is_inside(point):
    Region.click("Larynx", point).check_inside(GRID)


@pytest.mark.parametrize("point", [(-15.6, 0, 110), (0, 9.6, 110), (0, 0, 119.1), (0, 0, 0)])
def test_a_click_outside_is_refused(point):
    with pytest.raises(InputRefused) as refused:
        Region.click("Larynx", point).check_inside(GRID)
    assert refused.value.code == "E_OUTSIDE" and refused.value.exit_code == 3
    assert f"{point[2]:.1f}" in str(refused.value) and "Larynx" in str(refused.value)


def test_a_box_is_refused_only_when_wholly_outside():
    Region.box("Larynx", (-40, -15, -10, 10, 100, 110)).check_inside(GRID)  # reaches half a voxel in
    Region.box("Larynx", (-900, 900, -900, 900, -900, 900)).check_inside(GRID)
    with pytest.raises(InputRefused) as refused:
        Region.box("Larynx", (-40, -16, -10, 10, 100, 110)).check_inside(GRID)
    assert refused.value.code == "E_OUTSIDE"


@pytest.mark.parametrize(
    "region",
    [
        Region.box("Larynx", (-10, 10, 0, 30, -5, 5)),
        Region.click("Brainstem", (0.1, -2, 3e3)),
        Region.not_located("Esophagus", 0.25),
        Region("SpinalCord", Kind.CENTRES, Source.AUTO, centres_lps=((1, 2, 3), (1, 2, 6)), score=0.5),
        Region("GTV", Kind.BOX, Source.REFERENCE, Status.LOW_CONFIDENCE, 0.125, (1, 2, 3), (4, 5, 6), OBLIQUE),
    ],
)
def test_json_there_and_back(region):
    text = json.dumps(region.as_json(), allow_nan=False)
    assert Region.from_json(json.loads(text)) == region

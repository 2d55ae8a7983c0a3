"""Grids and crops: what fits, what it must hold, and that networks accept it, for any data set."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from training.suggest.look import DataFacts, OrganFacts
from training.suggest.sizes import COARSE_VOXELS, CROP_VOXELS, sizes


def organ(name: str, extent: tuple[float, float, float], narrow: float) -> OrganFacts:
    return OrganFacts(name, 50, (1.0, 2.0, 3.0), 0.1, extent, narrow, 10, 0.3, 5.0)


def facts(*organs: OrganFacts, spacing=(2.5, 1.0, 1.0), image=(400.0, 500.0, 500.0)) -> DataFacts:
    return DataFacts("CT", 40, 8, spacing, image, (-200.0, 300.0, 40.0, 80.0), organs)


def test_a_small_image_by_hand() -> None:
    """Hippocampus: 42 x 55 x 38 mm at 1 mm. The locator takes 2 mm, crops the scans' own, moved by 2 mm."""
    found = sizes(facts(organ("Ant", (17.5, 20.0, 25.0), 11.0), spacing=(1.0, 1.0, 1.0), image=(42.0, 55.0, 38.0)))
    assert (found.segment_spacing, found.locate_spacing, found.shift_mm) == ((1.0, 1.0, 1.0), (2.0, 2.0, 2.0), 2.0)
    # organ and 6 mm on either side: 29.5, 32 and 37 mm; three levels halve twice
    assert found.crops == {"Ant": (32, 32, 40)} and len(found.segment_widths) == 3
    assert found.locate_shape == (24, 32, 20) and found.margin_mm == 3.5


def test_a_large_organ_coarsens_the_crops_and_says_so() -> None:
    found = sizes(facts(organ("Liver", (200.0, 220.0, 260.0), 120.0)))
    assert math.prod(found.crops["Liver"]) <= CROP_VOXELS * 1.3
    assert min(found.segment_spacing) > 2.5 and any("coarser than the scans" in r for r in found.reasons)


def test_organs_of_very_different_size_ask_for_two_recipes() -> None:
    found = sizes(facts(organ("Lung_L", (300.0, 200.0, 160.0), 150.0), organ("Lens_L", (8.0, 9.0, 9.0), 7.0)))
    assert any("a recipe of its own" in r for r in found.reasons)
    assert max(found.segment_spacing[1:]) <= 2.5  # the lens keeps its voxels


def test_a_long_organ_is_learnt_in_windows() -> None:
    found = sizes(facts(organ("SpinalCord", (390.0, 25.0, 25.0), 20.0)))
    assert found.windows == ("SpinalCord",) and found.crops["SpinalCord"][0] == 64


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(0.4, 6.0)] * 3),
    st.tuples(*[st.floats(60.0, 600.0)] * 3),
    st.lists(st.tuples(*[st.floats(0.03, 0.9)] * 3), min_size=1, max_size=4),
)
@example((1.0, 1.0, 0.4453125), (60.0, 60.0, 60.0), [(0.5, 0.5, 0.5)])  # 0.4 was a tenth finer
def test_any_data_set_gets_sizes_that_networks_accept(spacing, image, parts) -> None:
    organs = []
    for i, part in enumerate(parts):
        extent = tuple(max(p * e, 2 * s) for p, e, s in zip(part, image, spacing, strict=True))
        organs.append(organ(f"o{i}", extent, min(extent) * 0.8))
    found = sizes(facts(*organs, spacing=spacing, image=image))
    factor = 2 ** (len(found.segment_widths) - 1)
    for shape in found.crops.values():
        assert all(n > 0 and n % factor == 0 for n in shape)
    assert all(n % 2 ** (len(found.locate_widths) - 1) == 0 for n in found.locate_shape)
    assert all(f >= s * 0.9 for f, s in zip(found.segment_spacing, spacing, strict=True))  # never finer than the scans
    assert np.prod(found.locate_shape) <= 64**3
    assert 2.0 <= found.shift_mm <= 5.0 < found.margin_mm + 5


@pytest.mark.parametrize("side", [100.0, 300.0, 600.0])
def test_the_locator_sees_a_whole_image_in_few_voxels(side: float) -> None:
    found = sizes(facts(organ("Heart", (side / 4,) * 3, side / 5), spacing=(3.0, 1.0, 1.0), image=(side,) * 3))
    assert side**3 / math.prod(found.locate_spacing) <= 1.2 * COARSE_VOXELS

"""Chunks are what the engine looks at, and what is said of the organs in them is where they were drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from training.augment import PoseRange
from training.data.prepared import ORGANS, load_cases, write_case
from training.methods.focus.chunks import Chunks
from training.reference import volume_of
from TwoStageSegLib.systems.focus_scan import body_grid, chunk_starts

BRAINSTEM, RIGHT, LEFT = 0, 1, 2  # of the tiny recipe's organs
UNEVEN = replace(PoseRange(), rotation_deg=8.0, scale=(0.8, 1.2), shift_mm=6.0)


def test_a_plain_chunk_is_what_the_engine_sees(recipe, cases, tmp_path) -> None:
    """The image of the whole grid, cut where the engine cuts it; at the scan's own slices they are the same numbers."""
    case = cases[0][0]
    noisy = case.ct + np.random.default_rng(0).integers(-200, 200, case.ct.shape).astype(np.int16)
    known = {o: k.fraction for o, k in case.known.items()}
    write_case(tmp_path / "a", "a", "train", "A", noisy, case.labels, case.spacing_zyx_mm, ORGANS, known)
    made = load_cases(tmp_path)[0]
    chunks = Chunks(recipe, [made])
    volume = volume_of(made)
    grid = body_grid(volume, chunks.preprocess, chunks.frame)
    assert grid is not None and grid.shape[0] > recipe.chunk_slices
    image = chunks.preprocess.image(volume, grid)
    for first in chunk_starts(grid.shape[0], recipe.chunk_slices, recipe.chunk_stride):
        seen = chunks.plain(made, first)["image"][0].numpy()
        assert seen == pytest.approx(image[first : first + recipe.chunk_slices], abs=2e-4)


def test_on_thicker_slices_it_is_nearly_that(recipe, cases) -> None:
    """The engine averages by a triangle, training by a Gaussian of its variance: near edges of 1100 HU a little off."""
    chunks = Chunks(replace(recipe, spacing=(3.5, 4.0, 4.0), chunk_slices=28), cases[0])
    case = cases[0][0]
    grid = chunks.grid(case)
    engine = chunks.preprocess.image(volume_of(case), grid)[:28]
    seen = chunks.plain(case, 0)["image"][0].numpy()
    assert np.abs(seen - engine).max() < 0.8  # 120 of 340 HU that clipping leaves of the edge
    assert np.abs(seen - engine).mean() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_middles_are_where_turned_and_mirrored_organs_were_drawn(recipe, cases, seed) -> None:
    chunks = Chunks(replace(recipe, poses=UNEVEN), cases[0][:1])
    sample = chunks.sample(np.random.default_rng(seed), whole=True)
    checked = 0
    for i, organ in enumerate((RIGHT, LEFT)):
        if sample["whole"][i]:
            drawn = ndimage.center_of_mass(sample["labels"][organ].numpy())
            assert sample["centres"][i].numpy() == pytest.approx(drawn, abs=0.5)
            peak = np.unravel_index(int(sample["heat"][i].argmax()), sample["heat"][i].shape)
            assert np.abs(np.subtract(peak, drawn)).max() <= 1.0
            checked += 1
    assert checked


def test_mirrored_organs_change_sides(recipe, cases) -> None:
    """The right parotid is at low x in every chunk, as in every patient."""
    chunks = Chunks(recipe, cases[0][:1])
    samples = [chunks.sample(np.random.default_rng(seed), whole=True) for seed in range(8)]
    right, left = (torch.stack([s["centres"][i, 2] for s in samples]) for i in (0, 1))
    assert bool((right < left).all())


def test_chunks_hold_a_small_organ_whole_or_part_of_any(recipe, cases) -> None:
    chunks = Chunks(recipe, cases[0])
    assert all(chunks.sample(np.random.default_rng(i), whole=True)["whole"].any() for i in range(10))
    assert all(chunks.sample(np.random.default_rng(i), whole=False)["labels"].any() for i in range(10))


def test_an_uncontoured_organ_is_unknown_and_has_no_heatmap(recipe, cases) -> None:
    case = cases[0][2]
    assert "Parotid_R" not in case.known
    sample = Chunks(recipe, [case]).plain(case, 0)
    assert sample["known"].tolist() == [True, False, False]
    assert sample["located"].tolist() == sample["whole"].tolist() == [False, False]
    assert not sample["heat"].any()


def test_an_organ_that_is_cut_has_a_heatmap_but_is_not_whole(recipe, cases) -> None:
    """Slices 17 to 24 hold the parotids; a chunk that ends within them does not hold them whole."""
    case = cases[0][0]
    chunks = Chunks(replace(recipe, chunk_slices=16), [case])
    assert case.known["Parotid_R"].box[0] == [17, 25]
    first = int(chunks.grid(case).start[0])
    sample = chunks.plain(case, 20 - 15 - first)  # its last slice is the scan's 20
    assert sample["located"].tolist() == [True, True] and sample["whole"].tolist() == [False, False]
    assert sample["labels"][RIGHT][-1].any() and sample["heat"][0].max() > 0.5

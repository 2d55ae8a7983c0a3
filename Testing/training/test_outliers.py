"""Contours that cannot be the organ are left out by their size, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.outliers import plausible_ranges, size_of, without_outliers
from training.data.prepared import ORGANS, Case, load_cases, write_case

SPACING = (2.5, 4.0, 4.0)  # 0.04 ml a voxel


def make(folder: Path, name: str, side: int, fraction: float = 1.0, organ: str = "Larynx", length: int = 8) -> Case:
    """A case whose organ is a block of ``length`` slices and ``side`` x ``side`` voxels."""
    labels = np.zeros((20, 30, 30), np.uint8)
    labels[2 : 2 + length, 5 : 5 + side, 5 : 5 + side] = 1 + ORGANS.index(organ)
    ct = np.where(labels > 0, 100, 40).astype(np.int16)
    write_case(folder / name, name, "train", "A", ct, labels, SPACING, ORGANS, {organ: fraction})
    return next(c for c in load_cases(folder) if c.name == name)


def test_size_is_the_volume_in_ml(tmp_path):
    assert size_of(make(tmp_path, "a", 5), "Larynx") == pytest.approx(8 * 5 * 5 * 0.04)


@pytest.mark.parametrize("organ", ["SpinalCord", "Esophagus"])
def test_size_of_a_long_organ_does_not_depend_on_its_length(tmp_path, organ):
    long, short = (make(tmp_path, f"{n}", 3, organ=organ, length=n) for n in (16, 4))
    assert size_of(long, organ) == pytest.approx(9 * 16.0 / 1000)  # ml per mm: nine voxels of 16 mm2
    assert size_of(short, organ) == pytest.approx(size_of(long, organ))


def test_range_of_equal_sizes_has_the_smallest_spread(tmp_path):
    cases = [make(tmp_path, f"{i}", 5) for i in range(3)]
    low, high = plausible_ranges(cases)["Larynx"]
    assert (low, high) == pytest.approx((8 * np.exp(-3.5 * 0.05), 8 * np.exp(3.5 * 0.05)))


def test_range_is_by_the_median_so_that_one_outlier_does_not_widen_it(tmp_path):
    cases = [make(tmp_path, f"{i}", side) for i, side in enumerate((4, 5, 6, 5, 25))]
    low, high = plausible_ranges(cases)["Larynx"]
    # sizes 5.12, 8, 11.52, 8, 200 ml: |log - log 8| = 0.446, 0, 0.365, 0, 3.22, median 0.365
    spread = 1.4826 * np.log(11.52 / 8)
    assert (low, high) == pytest.approx((8 * np.exp(-3.5 * spread), 8 * np.exp(3.5 * spread)))
    assert high < 200


def test_cut_organs_do_not_count_towards_the_range(tmp_path):
    cases = [*(make(tmp_path, f"{i}", 5) for i in range(3)), make(tmp_path, "cut", 1, fraction=0.3)]
    assert plausible_ranges(cases)["Larynx"][0] == pytest.approx(8 * np.exp(-3.5 * 0.05))


@pytest.mark.parametrize(
    ("side", "fraction", "kept"),
    [(5, 1.0, True), (25, 1.0, False), (2, 1.0, False), (2, 0.4, True), (25, 0.4, False)],
    ids=["plausible", "too large", "too small", "cut and small", "cut and too large"],
)
def test_an_implausible_contour_becomes_unknown(tmp_path, side, fraction, kept):
    case = make(tmp_path, "case", side, fraction)
    (left,) = without_outliers([case], {"Larynx": (6.0, 10.0)})
    assert ("Larynx" in left.known) == kept
    assert "Larynx" in case.known  # the case itself is as it was
    assert (left.name, left.split, left.folder) == (case.name, case.split, case.folder)


def test_an_organ_without_a_range_is_kept(tmp_path):
    (left,) = without_outliers([make(tmp_path, "case", 25)], {})
    assert "Larynx" in left.known

"""Real contours: two readers of the same scans, our figures beside MONAI's and DeepMind's, and what was published.

Where definitions agree the figures do, to the last bits; where they differ, the test computes the other definition
from our parts and shows that this, and nothing else, is the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from Testing.harness import readers
from TwoStageSegLib.metrics import (
    Distances,
    cropped,
    dice,
    hd95,
    mean_surface_distance,
    surface_dice,
    surface_distances,
    tolerance_mm,
)
from TwoStageSegLib.metrics.surface import nearest
from TwoStageSegLib.metrics.surfels import _codes, areas_mm2
from TwoStageSegLib.metrics.tolerances import READERS_MM

ORGANS = {
    "Brainstem": "Brainstem",
    "Mandible": "Bone_Mandible",
    "Parotid-Lt": "Parotid_L",
    "Optic-Nerve-Rt": "OpticNrv_R",
    "Cochlea-Lt": "Cochlea_L",
}
SCANS = 4
assert len(ORGANS) * SCANS == 20


@pytest.fixture(scope="module")
def masks(data_dir: Path) -> list[tuple[str, np.ndarray, np.ndarray, tuple[float, float, float]]]:
    """Twenty pairs: organ (TG-263), radiographer, oncologist, spacing."""
    if not (data_dir / readers.FOLDER).is_dir():
        pytest.skip(f"{readers.FOLDER} is not in the folder of real data")
    values = readers.labels(data_dir)
    out = []
    for case in readers.cases(data_dir, "test")[:SCANS]:
        both = readers.pair(data_dir, "test", case)
        for name, organ in ORGANS.items():
            a, b = cropped(both.radiographer == values[name], both.oncologist == values[name])
            out.append((organ, a.copy(), b.copy(), both.spacing_zyx_mm))
    return out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:monai")
def test_monai_says_the_same(masks):
    """Dice, HD95 (maximum of the directed), symmetric mean distance; surface Dice with its ``use_subvoxels``."""
    pytest.importorskip("monai")
    import torch
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
        compute_surface_dice,
    )

    for organ, a, b, spacing in masks:
        one, two = (torch.from_numpy(m)[None, None] for m in (a, b))
        options = {"include_background": True, "spacing": spacing}
        theirs = compute_hausdorff_distance(one, two, percentile=95, **options)
        assert hd95(a, b, spacing) == pytest.approx(float(theirs), abs=1e-4)
        average = compute_average_surface_distance(one, two, symmetric=True, **options)
        assert mean_surface_distance(a, b, spacing) == pytest.approx(float(average), abs=1e-4)
        assert dice(a, b) == pytest.approx(float(compute_dice(one, two)), abs=1e-6)
        limit = tolerance_mm(organ)
        surface = compute_surface_dice(one, two, [limit], use_subvoxels=True, **options)
        assert surface_dice(a, b, spacing, limit) == pytest.approx(float(surface), abs=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_deepmind_says_the_same_but_for_what_a_surface_is(masks):
    """``surface-distance`` 0.1. Dice and surface Dice are the same; its HD95 and mean differ from ours in two ways:

    the surface is the corners between voxels, not the voxels, and each element counts by its area, not once. Both done
    to our parts give its figures exactly. On these pairs the two kinds of HD95 mostly lie within a fraction of a
    voxel's diagonal (2.9 mm), but once a whole one apart: a table has to name its definition.
    """
    theirs = pytest.importorskip("surface_distance", reason="the package surface-distance is not installed")
    apart = []
    for organ, a, b, spacing in masks:
        found = theirs.compute_surface_distances(a, b, spacing)
        assert dice(a, b) == pytest.approx(theirs.compute_dice_coefficient(a, b))
        for limit in (0.5, tolerance_mm(organ), 4.0):
            assert surface_dice(a, b, spacing, limit) == pytest.approx(
                theirs.compute_surface_dice_at_tolerance(found, limit), abs=1e-6
            )
        forth, back, own_area, true_area = by_area(a, b, spacing)
        weighted = max(percentile_by_area(forth, own_area), percentile_by_area(back, true_area))
        assert theirs.compute_robust_hausdorff(found, 95) == pytest.approx(weighted, abs=1e-6)
        there, here = theirs.compute_average_surface_distance(found)
        assert np.average(forth, weights=own_area) == pytest.approx(there, abs=1e-6)
        assert np.average(back, weights=true_area) == pytest.approx(here, abs=1e-6)
        apart.append((hd95(a, b, spacing) - weighted) / np.linalg.norm(spacing))
    assert np.median(np.abs(apart)) < 0.25 and 0.5 < np.abs(apart).max() < 1.5


def test_the_three_kinds_of_hd95_are_in_their_order(masks):
    for _, a, b, spacing in masks:
        found: Distances = surface_distances(a, b, spacing)
        pooled = np.percentile(np.concatenate(found), 95)
        assert found.hd95_mean <= found.hd95 <= np.concatenate(found).max()
        assert min(np.percentile(d, 95) for d in found) - 1e-9 <= pooled <= found.hd95 + 1e-9


# Oktay et al., JAMA Netw Open 2020 (PMC7705593), Table 1, "External data set, radiographer": these readers' mean Dice.
# The set was first published with 24 test scans and now has 28; which ones that paper had is not stated, so the means
# are held to 1.5 points, not to the last digit.
PUBLISHED = {
    "Brainstem": 0.895,
    "Mandible": 0.939,
    "Spinal-Cord": 0.840,
    "Orbit-Lt": 0.929,
    "Orbit-Rt": 0.930,
    "Parotid-Lt": 0.867,
    "Parotid-Rt": 0.870,
    "Submandibular-Lt": 0.833,
    "Submandibular-Rt": 0.749,
}


@pytest.mark.slow
def test_the_readers_agree_as_published(data_dir):
    if not (data_dir / readers.FOLDER).is_dir():
        pytest.skip(f"{readers.FOLDER} is not in the folder of real data")
    values = readers.labels(data_dir)
    found: dict[str, list[float]] = {name: [] for name in PUBLISHED}
    for case in readers.cases(data_dir, "test"):
        both = readers.pair(data_dir, "test", case)
        for name in PUBLISHED:
            a, b = cropped(both.radiographer == values[name], both.oncologist == values[name])
            if a.any() or b.any():
                found[name].append(dice(a, b))
    assert {name: len(d) for name, d in found.items()} == {
        **dict.fromkeys(PUBLISHED, 28),
        "Submandibular-Lt": 25,  # neither reader drew it in the others
        "Submandibular-Rt": 27,
    }
    for name, published in PUBLISHED.items():
        assert np.mean(found[name]) == pytest.approx(published, abs=0.015), name


@pytest.mark.slow
@pytest.mark.parametrize("organ", ["Parotid", "Bone_Mandible", "Lens", "SpinalCord"])
def test_the_tolerances_are_the_readers_own_distance(data_dir, organ):
    """The 95th percentile by area over all 35 scans, both directions and both sides, to 0.1 mm."""
    if not (data_dir / readers.FOLDER).is_dir():
        pytest.skip(f"{readers.FOLDER} is not in the folder of real data")
    name = {"Bone_Mandible": "Mandible", "SpinalCord": "Spinal-Cord"}.get(organ, organ)
    wanted = [v for n, v in readers.labels(data_dir).items() if re.sub("-[LR]t$", "", n) == name]
    distances, areas = [], []
    for split in ("test", "validation"):
        for case in readers.cases(data_dir, split):
            both = readers.pair(data_dir, split, case)
            for value in wanted:
                a, b = cropped(both.radiographer == value, both.oncologist == value)
                if a.any() and b.any():
                    forth, back, own_area, true_area = by_area(a, b, both.spacing_zyx_mm)
                    distances += [forth, back]
                    areas += [own_area, true_area]
    found = percentile_by_area(np.concatenate(distances), np.concatenate(areas))
    assert READERS_MM[organ] == pytest.approx(found, abs=0.05)


def by_area(a, b, spacing):
    """Distances of our surface elements to the other's, both ways, and their areas."""
    codes = [_codes(m) for m in (a, b)]
    edges = [(c != 0) & (c != 255) for c in codes]
    table = areas_mm2(tuple(float(s) for s in spacing))
    return *nearest(*edges, spacing), *(table[c[e]] for c, e in zip(codes, edges, strict=True))


def percentile_by_area(distances, areas) -> float:
    """The distance which 95 % of the area does not exceed."""
    order = np.lexsort((areas, distances))
    share = np.cumsum(areas[order]) / areas.sum()
    return float(distances[order][min(np.searchsorted(share, 0.95), len(order) - 1)])

"""Our figures against MONAI's on full arrays of a planning CT: seconds, ratio, and how far they differ.

    python -m Testing.benchmarks.metrics [--rounds 5]

Two ellipsoids per organ in 512 x 512 x 150 voxels (2.5 x 0.98 x 0.98 mm). A and B take turns in one process on one
thread; the median of the rounds counts. Both get the whole arrays: cropping is part of the work.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from TwoStageSegLib.metrics import cropped, dice, hd95, mean_surface_distance, surface_dice, surface_distances

SHAPE = (150, 512, 512)
SPACING = (2.5, 0.98, 0.98)
RADII = {"lens": (3, 5, 5), "brainstem": (12, 20, 18), "parotid": (14, 18, 28), "mandible": (20, 60, 60),
         "lung": (50, 70, 75)}  # fmt: skip
TOLERANCE_MM = 2.5
Figures = tuple[float, ...]


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print("| organ | voxels | figure | ours ms | MONAI ms | ours / MONAI | difference |\n|---|---|---|---|---|---|---|")
    for organ, radii in RADII.items():
        reference = ellipsoid((75, 250, 250), radii)
        mask = ellipsoid((76, 252, 251), tuple(0.95 * r for r in radii))
        for figure, (ours, theirs) in ways(mask, reference).items():
            a, b, difference = measured(ours, theirs, rounds)
            print(
                f"| {organ} | {np.count_nonzero(reference)} | {figure} | {1000 * a:.1f} | {1000 * b:.1f} "
                f"| 1/{b / a:.0f} | {difference:.1e} |",
                flush=True,
            )
    return 0


def ways(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> dict[str, tuple[Callable[[], Figures], Callable[[], Figures]]]:
    """By figure: ours and MONAI's, each from the full arrays to the numbers."""
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
        compute_surface_dice,
    )

    one, two = (torch.from_numpy(m)[None, None] for m in (a, b))

    def monai_hd95() -> Figures:
        return (float(compute_hausdorff_distance(one, two, True, percentile=95, spacing=SPACING)),)

    def monai_mean() -> Figures:
        return (float(compute_average_surface_distance(one, two, True, symmetric=True, spacing=SPACING)),)

    def monai_dice() -> Figures:
        return (float(compute_dice(one, two)),)

    def monai_surface() -> Figures:
        found = compute_surface_dice(one, two, [TOLERANCE_MM], True, spacing=SPACING, use_subvoxels=True)
        return (float(found),)

    def together() -> Figures:
        small = cropped(a, b)
        distances = surface_distances(*small, SPACING)
        return dice(*small), distances.hd95, distances.mean, surface_dice(*small, SPACING, TOLERANCE_MM)

    return {
        "Dice": (lambda: (dice(*cropped(a, b)),), monai_dice),
        "HD95": (lambda: (hd95(a, b, SPACING),), monai_hd95),
        "mean distance": (lambda: (mean_surface_distance(a, b, SPACING),), monai_mean),
        "surface Dice": (lambda: (surface_dice(a, b, SPACING, TOLERANCE_MM),), monai_surface),
        "all four": (together, lambda: monai_dice() + monai_hd95() + monai_mean() + monai_surface()),
    }


def measured(ours: Callable[[], Figures], theirs: Callable[[], Figures], rounds: int) -> tuple[float, float, float]:
    """Median seconds of both, taking turns, and the largest difference of their figures."""
    seconds: tuple[list[float], list[float]] = ([], [])
    found = [ours(), theirs()]  # warm-up: imports, tables
    for _ in range(rounds):
        for i, run in enumerate((ours, theirs)):
            started = time.perf_counter()
            found[i] = run()
            seconds[i].append(time.perf_counter() - started)
    difference = max(abs(x - y) for x, y in zip(*found, strict=True))
    return statistics.median(seconds[0]), statistics.median(seconds[1]), difference


def ellipsoid(centre: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
    """Bool array of SHAPE; centre and radii in voxels."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    inside = sum(((g - c) / r) ** 2 for g, c, r in zip((z, y, x), centre, radii, strict=True))
    return np.asarray(inside <= 1, bool)


if __name__ == "__main__":
    raise SystemExit(main())

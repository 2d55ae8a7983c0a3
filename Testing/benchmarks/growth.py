"""How the cost of Locate & Segment grows with the scan and with what is asked.

    python -m Testing.benchmarks.growth [--model hn-oar-ct] [--rounds 3] [--plot growth.png]

Slices from 50 to 800 (512 x 512 each, 2.5 mm), organs from 1 to all, pixels from 128 to 1024 along a side (the same
field of view, 150 slices). A warm pipeline on one thread takes all sizes in turn; the best of the rounds counts, which
of all statistics the neighbours on the machine disturb least. The exponent is the slope between the smallest and the
largest input in logarithms: 1 grows like the input (voxels, or organs), 0 not at all; more than 1 would be worse.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.sample.phantom import generate
from TwoStageSegLib.volume import Volume

from .environment import begin_as_worker
from .stages import Stages, watched

SLICES = (50, 100, 200, 400, 800)
PIXELS = (128, 256, 512, 1024)
FIELD_MM = 500.0
SLICE_MM = 2.5
SIDES = "pixels along a side"

Point = tuple[float, float, float]
"""How much, seconds of a run, seconds of it outside the forward passes."""


def main() -> int:
    """Print a table, and draw it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hn-oar-ct")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, help="a PNG to draw")
    options = parser.parse_args()
    begin_as_worker(threads=1)
    torch.set_num_threads(1)
    pipeline = Pipeline(load_model(options.model), "cpu")
    lines: dict[str, list[Point]] = {}
    print("| what | how much | voxels, million | ms | ms outside the forward passes |\n|---|---|---|---|---|")
    with watched(pipeline) as stages:
        for what, amount, volume, organs in _cases(pipeline):
            total, outside = _best(pipeline, stages, volume, organs, options.rounds)
            lines.setdefault(what, []).append((amount, total, outside))
            voxels = volume.voxels.size / 1e6
            print(f"| {what} | {amount:.0f} | {voxels:.1f} | {1000 * total:.0f} | {1000 * outside:.0f} |", flush=True)
    print("\n| what | exponent of the total | of what is outside the forward passes |\n|---|---|---|")
    for what, points in lines.items():
        print(f"| {what} | {_exponent(what, points, 1):.2f} | {_exponent(what, points, 2):.2f} |")
    if options.plot:
        _draw(lines, options.plot)
    return 0


def _cases(pipeline: Pipeline) -> Iterator[tuple[str, float, Volume, list[str] | None]]:
    names = list(pipeline.model.manifest.organ_names)
    usual = _scan(150, 512)
    for slices in SLICES:
        yield "slices", slices, _scan(slices, 512), None
    for count in range(1, len(names) + 1):
        yield "organs", count, usual, names[:count]
    for pixels in PIXELS:
        yield SIDES, pixels, _scan(150, pixels), None


def _scan(slices: int, pixels: int) -> Volume:
    """A phantom (150 slices, 512 pixels) with its planes repeated or left out; its organs stay where they are."""
    made = generate(0, (FIELD_MM / 128, FIELD_MM / 128, SLICE_MM), (150, 128, 128), surroundings=True).volume
    voxels = made.voxels[np.clip(np.arange(slices) - (slices - 150) // 2, 0, 149)]
    each = pixels // 128
    voxels = np.repeat(np.repeat(voxels, each, 1), each, 2) if each > 1 else np.ascontiguousarray(voxels)
    spacing = FIELD_MM / pixels
    return Volume(voxels, Geometry(voxels.shape, (0.0, 0.0, 0.0), (spacing, spacing, SLICE_MM)), "CT")


def _best(
    pipeline: Pipeline, stages: Stages, volume: Volume, organs: list[str] | None, rounds: int
) -> tuple[float, float]:
    found = []
    for turn in range(rounds + 1):
        stages.clear()
        started = time.perf_counter()
        pipeline.run(replace(volume), organs)
        if turn:  # the first is the warm-up
            found.append((time.perf_counter() - started, stages.total - stages.seconds["forward"]))
    return min(f[0] for f in found), min(f[1] for f in found)


def _exponent(what: str, points: list[Point], which: int) -> float:
    first, last = points[0], points[-1]
    return math.log(last[which] / first[which]) / math.log(_input(what, last[0]) / _input(what, first[0]))


def _input(what: str, amount: float) -> float:
    """What the input's size is proportional to."""
    return amount**2 if what == SIDES else amount


def _draw(lines: dict[str, list[Point]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(lines), figsize=(11, 3.6), sharey=True, constrained_layout=True)
    for axis, (what, points) in zip(np.atleast_1d(axes), lines.items(), strict=True):
        amounts = [p[0] for p in points]
        axis.plot(amounts, [p[1] for p in points], "o-", label="total")
        axis.plot(amounts, [p[2] for p in points], "s-", label="outside the forward passes")
        like = [points[0][1] * _input(what, a) / _input(what, amounts[0]) for a in amounts]
        axis.plot(amounts, like, ":", color="grey", label="like its input")
        axis.set(xscale="log", yscale="log", xlabel=what, xticks=amounts, xticklabels=[f"{a:.0f}" for a in amounts])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    np.atleast_1d(axes)[0].set_ylabel("seconds, one thread")
    np.atleast_1d(axes)[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    raise SystemExit(main())

"""What the review adds to Locate & Segment: nothing, what is free, and with a second look at a moved crop.

    python -m Testing.benchmarks.review [--ct CT] [--model hn-oar-ct] [--rounds 5]

Without ``--ct`` a synthetic 512 x 512 x 150 planning CT is used. The three take turns in one process; the share is the
median over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch

from TwoStageSegLib.io import read_volume
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Review
from TwoStageSegLib.sample.phantom import generate


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--model", default="hn-oar-ct")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.ct:
        volume = read_volume(options.ct)
    else:
        volume = generate(0, (0.98, 0.98, 2.5), (150, 512, 512), surroundings=True).volume
    pipeline = Pipeline(load_model(options.model), "cpu")
    seconds: dict[Review, list[float]] = {depth: [] for depth in Review}
    for turn in range(options.rounds + 1):
        for depth in Review:
            started = time.perf_counter()
            pipeline.run(replace(volume), review=depth)  # a new volume object: nothing is warm but the networks
            if turn:  # the first is the warm-up
                seconds[depth].append(time.perf_counter() - started)
    print(f"{volume.size_text}, model {options.model}, {torch.get_num_threads()} threads, median of {options.rounds}\n")
    print(f"{'review':8s} {'seconds':>8s} {'added':>8s}")
    for depth, values in seconds.items():
        added = statistics.median(v / b - 1 for v, b in zip(values, seconds[Review.OFF], strict=True))
        print(f"{depth.value:8s} {statistics.median(values):8.3f} {added:8.1%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

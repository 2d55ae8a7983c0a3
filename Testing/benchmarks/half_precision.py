"""What bf16 costs in accuracy: Dice of every organ with and without it, on prepared validation cases.

    python -m Testing.benchmarks.half_precision --data prepared/openkbp [--model hn-oar-ct] [--cases 8]

The same networks on the same cases, located and segmented by themselves; the loss is the mean of the paired differences
over all organs that the reference holds whole (fp32 - bf16), with the half width of its 95 % interval.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from training.data.prepared import Case, load_cases
from training.reference import mask_of, volume_of
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Review


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of prepared cases")
    parser.add_argument("--model", default="hn-oar-ct")
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--split", default="validation")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipeline = Pipeline(load_model(options.model), "cpu")
    found: dict[str, list[tuple[float, float, float]]] = {}
    cases = load_cases(options.data, options.split)[: options.cases]
    for case in cases:
        for organ, full, half, agreement in _compared(pipeline, case):
            found.setdefault(organ, []).append((full, half, agreement))
    print(f"{options.model}, {len(cases)} cases ({options.split}) of {options.data.name}\n")
    print("| organ | n | Dice fp32 | Dice bf16 | loss | Dice of the two |\n|---|---|---|---|---|---|")
    everything = [row for rows in found.values() for row in rows]
    for organ, rows in [*found.items(), ("all", everything)]:
        full, half, agreement = (statistics.mean(column) for column in zip(*rows, strict=True))
        print(f"| {organ} | {len(rows)} | {full:.4f} | {half:.4f} | {full - half:+.4f} | {agreement:.4f} |")
    differences = [full - half for full, half, _ in everything]
    width = 1.96 * statistics.stdev(differences) / math.sqrt(len(differences))
    print(f"\nloss by bf16: {statistics.mean(differences):+.5f} +- {width:.5f} Dice; largest {max(differences):+.4f}")
    return 0


def _compared(pipeline: Pipeline, case: Case) -> Iterator[tuple[str, float, float, float]]:
    """Organ, its Dice against the reference in fp32 and in bf16, and the Dice of one against the other."""
    volume = volume_of(case)
    masks = []
    for half in (False, True):
        pipeline.device.half = half
        result = pipeline.run(replace(volume), review=Review.OFF)
        masks.append({o.organ: o.mask for o in result.located if o.mask is not None})
    for organ in pipeline.model.manifest.organ_names:
        if not case.whole(organ):
            continue
        reference = mask_of(case, organ, volume).full()
        full, half_ = (m[organ].full() if organ in m else reference & False for m in masks)
        yield organ, dice(full, reference), dice(half_, reference), dice(full, half_)


if __name__ == "__main__":
    raise SystemExit(main())

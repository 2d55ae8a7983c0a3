"""Locate & Segment against a sliding window of the same segmentation network over the whole scan.

    python -m Testing.benchmarks.two_stage [--ct CT] [--model hn-oar-ct] [--rounds 3]

Without ``--ct`` a synthetic 512 x 512 x 150 planning CT is used. A and B take turns in one process, on one thread; B is
MONAI's ``sliding_window_inference`` at the crop's spacing and in the same precision, over the whole scan, which is
resampled for it. Peak memory is that of a child process which does only A, or only B.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.volume import Volume

from .environment import begin_as_worker
from .limits_worker import memory_mb
from .peers import WINDOW, whole_image


def main() -> int:
    """Print one table."""
    options = _arguments()
    begin_as_worker(threads=1)
    torch.set_num_threads(1)
    volume = volume_of(options.ct)
    if options.only:
        _ways(options.model, volume)[options.only]()
        print(round(memory_mb("VmHWM")))  # getrusage would carry over the parent's
        return 0
    ways = _ways(options.model, volume)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    forward: list[float] = []
    for name, run in ways.items():
        if name != "sliding window":
            run()  # warm-up: first-touch memory, code paths
    for _ in range(options.rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            inside = run()
            seconds[name].append(time.perf_counter() - started)
            if name == "two stages":
                forward.append(inside / seconds[name][-1])
    _report(options, volume, seconds, forward)
    return 0


def _report(options: argparse.Namespace, volume: Volume, seconds: dict[str, list[float]], forward: list[float]) -> None:
    peak = {name: _peak_mb(options, name) for name in seconds}
    whole = seconds["sliding window"]
    print(f"{volume.size_text}, model {options.model}, {torch.get_num_threads()} threads, median of {options.rounds}\n")
    print("| way | ms | of the sliding window | peak MB |\n|---|---|---|---|")
    for name, values in seconds.items():
        ratio = statistics.median(w / v for w, v in zip(whole, values, strict=True))
        print(f"| {name} | {1000 * statistics.median(values):.1f} | 1/{ratio:.0f} | {peak[name]} |")
    print(f"\nShare of two stages outside the networks' forward passes: {1 - statistics.median(forward):.1%}")


def _ways(name: str, volume: Volume) -> dict[str, Callable[[], float]]:
    """What is compared; each returns the seconds spent in forward passes."""
    pipeline = Pipeline(load_model(name), "cpu")
    system = pipeline.system
    assert isinstance(system, LocaliseCrop)
    spent = _timed_forwards(system)

    def two_stages() -> float:
        spent.clear()
        pipeline.run(replace(volume))  # a new volume object: nothing is warm but the networks
        return sum(spent)

    def one_organ() -> float:
        spent.clear()
        pipeline.run(replace(volume), [pipeline.model.manifest.organ_names[0]])
        return sum(spent)

    def sliding_window() -> float:
        return _sliding_window(system, volume)

    return {"two stages": two_stages, "two stages, one organ": one_organ, "sliding window": sliding_window}


@torch.inference_mode()
def _sliding_window(system: LocaliseCrop, volume: Volume) -> float:
    from monai.inferers import sliding_window_inference

    segmenter = system.segmenters["segment"]
    x = whole_image(system, volume)
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=segmenter.device.half):
        sliding_window_inference(x.contiguous(memory_format=torch.channels_last_3d), WINDOW, 1, segmenter.network)
    return time.perf_counter() - started


def _timed_forwards(system: LocaliseCrop) -> list[float]:
    """Seconds of every forward pass from now on."""
    spent: list[float] = []
    for runner in (system.locator, *system.segmenters.values()):
        network, original = runner.in_use, runner.in_use.forward

        def timed(x: torch.Tensor, original: Callable = original) -> torch.Tensor:
            started = time.perf_counter()
            out = original(x)
            spent.append(time.perf_counter() - started)
            return out

        network.forward = timed  # type: ignore[method-assign]
    return spent


def _peak_mb(options: argparse.Namespace, way: str) -> int:
    command = [sys.executable, "-m", "Testing.benchmarks.two_stage", "--only", way, "--model", options.model]
    if options.ct:
        command += ["--ct", str(options.ct)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def volume_of(path: Path | None, slices: int = 150) -> Volume:
    """The file's volume, or a synthetic planning CT."""
    if path is not None:
        from TwoStageSegLib.io import read_volume

        return read_volume(path)
    from TwoStageSegLib.sample.phantom import generate

    return generate(0, (0.98, 0.98, 2.5), (slices, 512, 512), surroundings=True).volume


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--model", default="hn-oar-ct")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())

"""How close Locate & Segment comes to the arithmetic of its networks, and how far the whole scan is from it.

    python -m Testing.benchmarks.limits [--ct CT] [--model hn-oar-ct] [--rounds 3] [--slices 150] [--whole] [--no-peers]

Without ``--ct`` a synthetic 512 x 512 planning CT of ``--slices`` slices. Everything takes turns in one process, and a
ratio is the median of the ratios of the rounds. The sliding windows run on a block of eight windows and are scaled by
the number of windows, unless ``--whole``. Cold and warm worker, and memory, are those of child processes. A run of
three rounds takes about two minutes on one core; ``--threads`` is for a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from TwoStageSegLib.model import load_model
from TwoStageSegLib.outputs.segnrrd import write_segmentation
from TwoStageSegLib.pipeline import Pipeline, Result
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.volume import Volume

from .environment import begin_as_worker
from .limits_worker import ALL, WITHOUT, print_peaks, print_worker
from .peers import WINDOW, Peer, block_of, counted, matrix_peak, peers, whole_chain, whole_image
from .stages import STAGES, Stages, watched
from .two_stage import volume_of

HEADING = """# What Locate & Segment costs

Written by `python -m Testing.benchmarks.limits`: everything takes turns in one process with the worker's allocator
settings, ratios are medians of ratios per round. *Floor*: the networks' multiply-adds at the speed of a 2048 x 2048
matrix product of the same machine. *Whole chain*: a whole scan resampled, normalised, its answer pasted back and
labelled, for one organ, by SimpleITK and SciPy. Sliding windows have the same network and spacing; in brackets the
ratio of the multiply-adds alone.
"""

Rounds = list[dict[str, float]]
ASKED = ("all", "one")


def main() -> int:
    """Print the tables."""
    options = _arguments()
    begin_as_worker(options.threads)
    torch.set_num_threads(options.threads)
    volume = volume_of(options.ct, options.slices)
    pipeline = Pipeline(load_model(options.model), "cpu")
    assert isinstance(pipeline.system, LocaliseCrop)
    found, why_not = peers(pipeline.system) if not options.no_peers else ([], "not asked for")
    precision = "bf16" if pipeline.device.half else "fp32"
    print(HEADING)
    print(f"{volume.size_text}, {options.model}, {precision}, {options.threads} threads, {options.rounds} rounds.\n")
    rounds = _measured(options, volume, pipeline, found)
    _print_stages(rounds)
    _print_floor(rounds, pipeline.device.half)
    _print_peers(rounds, found, why_not)
    print_worker(options.model, options.organ, volume)
    ways = (ALL, WITHOUT, *(p.name for p in found[:1] + found[3:4]))
    print_peaks(options.model, options.organ, volume, ways)
    return 0


def _measured(options: argparse.Namespace, volume: Volume, pipeline: Pipeline, found: list[Peer]) -> Rounds:
    """Seconds of everything, by round; keys are ``all|one`` and a stage, a peer's name, and what ``_extras`` adds."""
    system = pipeline.system
    assert isinstance(system, LocaliseCrop)
    image = whole_image(system, volume)
    part = image if options.whole else block_of(image)
    asked: dict[str, list[str] | None] = {"all": None, "one": [options.organ or pipeline.model.manifest.organ_names[0]]}
    multiply_adds: dict[str, float] = {}
    networks: list[torch.nn.Module] = [r.in_use for r in (system.locator, *system.segmenters.values())]
    for what, organs in asked.items():  # the warm-up, too
        with counted(networks) as macs:
            pipeline.run(replace(volume), organs)
        multiply_adds[what] = sum(macs)
    for peer in found:
        window = torch.zeros(1, 1, *WINDOW)
        with counted([r.network for r in system.segmenters.values()]) as macs:
            peer.run(window)
        multiply_adds[peer.name] = sum(macs) * peer.windows(image)
    rounds: Rounds = []
    for _ in range(options.rounds):
        row: dict[str, float] = {}
        with watched(pipeline) as stages:
            for what, organs in asked.items():
                result = _run(stages, what, pipeline, replace(volume), organs, row)
                row |= _extras(what, volume, result)
            row |= _in_fp32(stages, pipeline, volume, asked)
        for kind, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            row[f"peak {kind}"] = matrix_peak(dtype)
            row |= {f"{what} floor {kind}": multiply_adds[what] / row[f"peak {kind}"] for what in asked}
        row["chain"] = _seconds(lambda: whole_chain(system, volume, image[0, 0].numpy()))
        for peer in found:
            row[peer.name] = _seconds(partial(peer.run, part)) * peer.windows(image) / peer.windows(part)
            row |= {f"{peer.name}, {what}": multiply_adds[peer.name] / multiply_adds[what] for what in asked}
        rounds.append(row)
    return rounds


def _run(
    stages: Stages, what: str, pipeline: Pipeline, volume: Volume, organs: list[str] | None, row: dict[str, float]
) -> Result:
    """One run on a volume that nothing is known about, then one with a box moved; their seconds go to ``row``."""
    stages.clear()
    result = pipeline.run(volume, organs)
    row |= {f"{what} {stage}": stages.seconds[stage] for stage in STAGES} | {f"{what} total": stages.total}
    row[f"{what} outside"] = stages.total - stages.seconds["forward"]
    if what == "one" and result.located:
        organ = result.located[0]
        x, y, z = organ.region.centre_lps or (0.0, 0.0, 0.0)
        moved = replace(organ.region, centre_lps=(x + 4, y, z))
        row["moved"] = _seconds(lambda: pipeline.run(volume, [organ.organ], {organ.organ: moved}))
    return result


def _in_fp32(
    stages: Stages, pipeline: Pipeline, volume: Volume, asked: dict[str, list[str] | None]
) -> dict[str, float]:
    """The same runs as on a processor without bf16."""
    found: dict[str, float] = {}
    half = pipeline.device.half
    pipeline.device.half = False
    for what, organs in asked.items():
        stages.clear()
        pipeline.run(replace(volume), organs)
        found |= {f"{what} fp32 forward": stages.seconds["forward"], f"{what} fp32 total": stages.total}
        found[f"{what} fp32 outside"] = stages.total - stages.seconds["forward"]
    pipeline.device.half = half
    return found


def _extras(what: str, volume: Volume, result: Result) -> dict[str, float]:
    """Seconds to write the masks to a file, and to place them in a Slicer scene where slicer-core is installed."""
    masks = [o.mask for o in result.located if o.mask is not None]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.seg.nrrd"
        found = {f"{what} write": _seconds(lambda: write_segmentation(target, masks, volume.geometry))}
    if (place := _scene(volume)) is not None:
        found[f"{what} place in scene"] = _seconds(lambda: [place(m) for m in masks])
    return found


_SCENES: list[tuple[object, object]] = []


def _scene(volume: Volume) -> Callable | None:
    """A function that places a mask into a new segmentation node."""
    try:
        from Testing.harness.minislicer import boot
        from TwoStageSegLib.scene import node_from_volume
        from TwoStageSegLib.scene.segments import put_mask
    except ImportError:
        return None
    if not _SCENES:
        scene = boot().scene
        _SCENES.append((scene, node_from_volume(scene, volume, "CT")))
    scene, node = _SCENES[0]
    target = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")  # type: ignore[attr-defined]
    return lambda mask: put_mask(target, mask, node)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _median(rounds: Rounds, key: str, per: str = "") -> float:
    """Of what was measured, or of its ratio to something else in the same round."""
    return statistics.median(row[key] / (row[per] if per else 1) for row in rounds)


def _print_stages(rounds: Rounds) -> None:
    print(f"| {'warm, ms':26s} | all organs | one organ |\n|---|---|---|")
    for stage in ("total", *STAGES, "place in scene", "write"):
        if f"all {stage}" in rounds[0]:
            a, b = (1000 * _median(rounds, f"{what} {stage}") for what in ASKED)
            print(f"| {stage:26s} | {a:10.1f} | {b:9.1f} |")
    a, b = (_median(rounds, f"{what} outside", f"{what} total") for what in ASKED)
    print(f"| {'outside the forward passes':26s} | {a:10.1%} | {b:9.1%} |")
    a, b = (_median(rounds, f"{what} fp32 outside", f"{what} fp32 total") for what in ASKED)
    print(f"| {'that, in fp32':26s} | {a:10.1%} | {b:9.1%} |")
    a, b = (_median(rounds, "chain", f"{what} outside") for what in ASKED)
    print(f"| {'outside, of whole chain':26s} | 1/{a:8.1f} | 1/{b:7.1f} |")
    if "moved" in rounds[0]:
        a, b = (_median(rounds, f"{what} total", "moved") for what in ASKED)
        print(f"| {'one moved box again':26s} | 1/{a:8.1f} | 1/{b:7.1f} |")


def _print_floor(rounds: Rounds, half: bool) -> None:
    print(f"\n| {'floor at the matrix peak':26s} | GMAC/s | all: ms | forward at | one: ms | forward at |")
    print("|---|---|---|---|---|---|")
    for kind in ("fp32", "bf16") if half else ("fp32",):
        cells = []
        for what in ASKED:
            floor = f"{what} floor {kind}"
            forward = f"{what} fp32 forward" if kind == "fp32" else f"{what} forward"
            cells += [f"{1000 * _median(rounds, floor):7.1f}", f"{_median(rounds, floor, forward):10.0%}"]
        print(f"| {kind:26s} | {_median(rounds, f'peak {kind}') / 1e9:6.0f} | {' | '.join(cells)} |")


def _print_peers(rounds: Rounds, found: list[Peer], why_not: str) -> None:
    """Seconds, ours as a share of them, and in brackets the same share of the multiply-adds."""
    print(f"\n| {'whole scan, same network':30s} | seconds | all organs (MACs) | one organ (MACs) |\n|---|---|---|---|")
    for peer in found:
        a, b = (_median(rounds, peer.name, f"{what} total") for what in ASKED)
        x, y = (rounds[0][f"{peer.name}, {what}"] for what in ASKED)
        seconds = _median(rounds, peer.name)
        print(f"| {peer.name:30s} | {seconds:7.1f} | 1/{a:4.0f} (1/{x:4.0f}) | 1/{b:5.0f} (1/{y:5.0f}) |")
    if why_not:
        print(f"| {'nnU-Net v2':30s} | {why_not} | | |")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--model", default="hn-oar-ct")
    parser.add_argument("--organ", help="the one organ (default: the model's first)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="run the sliding windows over the whole scan")
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())

"""For ``limits``: the worker cold and warm, and what child processes need at most (Linux).

    python -m Testing.benchmarks.limits_worker WAY FOLDER MODEL [ORGAN]    one child: prints its figures in MB

What the pipeline needs beside its networks is asked of a child whose networks answer at once with organ everywhere, in
crops of the usual size. It counts from the moment the bundle is loaded: libraries and weights are not in it, the volume
is. The peers' networks compute once, for the memory that takes, and then answer at once as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from TwoStageSegLib.handover import put_volume, take_volume
from TwoStageSegLib.messages import ModelReady, Open, VolumeReady
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.protocol import decode_command, encode
from TwoStageSegLib.region import Region
from TwoStageSegLib.resources import resource_path
from TwoStageSegLib.systems.localise_crop import LocaliseCrop
from TwoStageSegLib.volume import Volume
from TwoStageSegLib.worker_client import WorkerClient

from .environment import THREADS

ALL, WITHOUT = "two stages", "two stages, without networks"

PAUSES_S = (0.0, 3.0)
"""How long after its model is loaded the worker is asked for a run: meanwhile it rehearses."""


def print_worker(model: str, organ: str | None, volume: Volume) -> None:
    """Seconds of a new worker until it is ready, of its first run and of the following ones, and its peak memory.

    As the panel starts it: with as many threads as torch finds cores for.
    """
    folder = Path(model) if Path(model).is_dir() else resource_path("models") / model
    with mock.patch.dict(os.environ), WorkerClient() as client:
        for name in THREADS:
            os.environ.pop(name, None)
        print("\n| worker, all cores, asked | start to ready | first run | warm run | warm, one organ | peak MB |")
        print("|---|---|---|---|---|---|")
        for pause in PAUSES_S:
            started = time.perf_counter()
            client.start()
            client.load(folder, "cpu")
            ready = client.wait_for(ModelReady, 300)
            assert isinstance(ready, ModelReady) and client.pid is not None
            seconds = [time.perf_counter() - started]
            time.sleep(pause)
            for organs in (None, None, [organ or ready.organs[0]]):
                client.open(volume)  # a volume that nothing is known about
                client.wait_for(VolumeReady)
                started = time.perf_counter()
                client.run(organs)
                client.wait(600)
                seconds.append(time.perf_counter() - started)
            peak = memory_mb("VmHWM", client.pid)
            when = f"after {pause:.0f} s" if pause else "at once"
            cells = (f"{1000 * s:6.0f} ms" for s in seconds)
            print(f"| {when:24s} | {' | '.join(cells)} | {peak:6.0f} |", flush=True)


def print_peaks(model: str, organ: str | None, volume: Volume, ways: tuple[str, ...]) -> None:
    """A line per way of a child process of its own."""
    size = volume.voxels.nbytes / 2**20
    print(f"\n| memory, volume of {size:.0f} MB | peak MB | above what was there before the volume |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "open.json").write_bytes(encode(put_volume(Path(name), 1, volume)))
        for way in ways:
            command = [
                sys.executable,
                "-m",
                "Testing.benchmarks.limits_worker",
                way,
                name,
                model,
                *filter(None, [organ]),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            peak, above = done.stdout.split()[-2:] if done.returncode == 0 else ("failed", "")
            print(f"| {way:30s} | {peak} | {above} |", flush=True)


def memory_mb(name: str, pid: int | str = "self") -> float:
    """``VmRSS``: what a process holds now; ``VmHWM``: the most since it was started, or since ``forget_peak``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def main() -> int:
    way, name, model, *organ = sys.argv[1:]
    folder = Path(name)
    pipeline = Pipeline(load_model(model), "cpu")
    pipeline.system.self_test()
    command = decode_command((folder / "open.json").read_bytes())
    assert isinstance(command, Open)
    run = _way(way, pipeline, organ or None)
    forget_peak()
    before = memory_mb("VmRSS")
    run(take_volume(folder, command))
    print(f"{memory_mb('VmHWM'):.0f} {memory_mb('VmHWM') - before:.0f}")
    return 0


def _way(way: str, pipeline: Pipeline, organs: list[str] | None) -> Callable[[Volume], object]:
    """What the child does with the volume; the libraries for it are imported by then."""
    system = pipeline.system
    assert isinstance(system, LocaliseCrop)
    if way == ALL:
        return partial(pipeline.run, organs=organs)
    if way == WITHOUT:
        return partial(_without_networks, pipeline, organs or list(pipeline.model.manifest.organ_names))
    from .peers import WINDOW, peers, whole_image

    peer = next(p for p in peers(system)[0] if p.name == way)
    peer.run(torch.zeros(1, 1, *WINDOW))
    _answer_at_once(system, keep=1)
    return lambda volume: peer.run(whole_image(system, volume))


def _without_networks(pipeline: Pipeline, names: list[str], volume: Volume) -> None:
    assert isinstance(pipeline.system, LocaliseCrop)
    _answer_at_once(pipeline.system)
    middle = volume.geometry.index_to_lps((np.asarray(volume.geometry.shape_zyx) - 1) / 2)
    pipeline.locate(volume, names)
    pipeline.run(volume, names, {name: Region.click(name, middle) for name in names})


def _answer_at_once(system: LocaliseCrop, keep: int = 0) -> None:
    """Networks that compute ``keep`` times and then answer with ones."""
    for runner in (system.locator, *system.segmenters.values()):
        for network in {runner.network, runner.as_run(half=True), runner.as_run(half=False)}:
            answer = _Ones(network.forward, len(runner.spec.outputs), keep)
            network.forward = answer  # type: ignore[method-assign,assignment]


@dataclass
class _Ones:
    """A forward pass without work, after ``left`` real ones."""

    real: Callable[[torch.Tensor], torch.Tensor]
    outputs: int
    left: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        return self.real(x) if self.left >= 0 else torch.ones((len(x), self.outputs, *x.shape[2:]))


if __name__ == "__main__":
    raise SystemExit(main())

"""Two hundred runs in one warm worker, and two hundred in a scene: memory, files and results must not move.

    python -m Testing.benchmarks.soak [--rounds 200] [--model phantom] [--only worker|scene]

On the CPU every repetition must give the very same voxels. Memory is what the system holds for a process (RSS), taken
after every run; its growth is the median of the last quarter of the runs against that of the second quarter (the first
one fills caches). Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from TwoStageSegLib.messages import ModelReady, VolumeReady
from TwoStageSegLib.pipeline import Result
from TwoStageSegLib.region import Region
from TwoStageSegLib.resources import resource_path
from TwoStageSegLib.volume import Volume
from TwoStageSegLib.worker_client import WorkerClient


@dataclass
class Figures:
    """``rss_mb`` of each process by name, ``hashes`` of the results by what was asked, counts at the end."""

    what: str
    rss_mb: dict[str, list[float]] = field(default_factory=dict)
    hashes: dict[str, set[str]] = field(default_factory=dict)
    seconds: float = 0.0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def note(self, process: str, pid: int | str) -> None:
        self.rss_mb.setdefault(process, []).append(rss_mb(pid))

    def result(self, asked: str, bits: str) -> None:
        self.hashes.setdefault(asked, set()).add(bits)

    def growth_mb(self, process: str) -> float:
        values = self.rss_mb[process]
        quarter = max(1, len(values) // 4)
        return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])

    @property
    def identical(self) -> bool:
        return all(len(found) == 1 for found in self.hashes.values())

    def lines(self) -> Iterator[str]:
        for process, values in self.rss_mb.items():
            yield (
                f"{self.what:8} {len(values):4d} runs {self.seconds:7.1f} s  {process}: {values[0]:.0f} MB first, "
                f"{max(values):.0f} MB most, {self.growth_mb(process):+.1f} MB grown"
            )
        yield f"{'':8} {len(self.hashes)} different requests, every repetition the same bits: {self.identical}"
        for name, (before, after) in self.counts.items():
            yield f"{'':8} {name}: {before} before, {after} after"


def rss_mb(pid: int | str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def handles(pid: int | str) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def bits(result: Result) -> str:
    """A hash of every mask and region."""
    digest = hashlib.sha256()
    for organ in result.organs:
        digest.update(repr(organ.region).encode())
        if organ.mask is not None:
            digest.update(repr((organ.mask.start_zyx, organ.mask.voxels.shape)).encode() + organ.mask.voxels.tobytes())
    return digest.hexdigest()


def requests(volume: Volume, organs: list[str]) -> list[tuple[str, list[str] | None, dict[str, Region]]]:
    """What is asked in turn: everything, one organ, one organ at a place that a person gave."""
    middle = volume.geometry.index_to_lps([n / 2 for n in volume.geometry.shape_zyx])
    click = {organs[-1]: Region.click(organs[-1], middle)}
    return [("everything", None, {}), (organs[0], [organs[0]], {}), (f"{organs[-1]}, clicked", [organs[-1]], click)]


def soak_worker(bundle: Path, volume: Volume, rounds: int, tell: Callable[[int], None] = lambda n: None) -> Figures:
    figures = Figures("worker")
    with WorkerClient() as client:
        client.start()
        client.load(bundle, "cpu")
        ready = client.wait_for(ModelReady, 300)
        assert isinstance(ready, ModelReady) and client.pid is not None and client._process is not None
        client.open(volume)
        client.wait_for(VolumeReady)
        asked = requests(volume, ready.organs)
        started, before = time.perf_counter(), handles(client.pid)
        for number in range(rounds):
            name, organs, regions = asked[number % len(asked)]
            client.run(organs, regions)
            figures.result(name, bits(client.wait(600)))
            figures.note("worker", client.pid)
            figures.note("program", "self")
            tell(number)
        figures.seconds = time.perf_counter() - started
        figures.counts["open files of the worker"] = (before, handles(client.pid))
        figures.counts["files in the private folder"] = (0, len(list(client._process.folder.iterdir())))
    return figures


def soak_scene(
    scene: object, bundle: Path, volume: Volume, rounds: int, tell: Callable[[int], None] = lambda n: None
) -> Figures:
    from TwoStageSegLib.model import verify
    from TwoStageSegLib.scene import mask_from_segment, node_from_volume, volume_from_node
    from TwoStageSegLib.session import Installed, Session, SubprocessTransport

    figures, transport = Figures("scene"), SubprocessTransport()
    session = Session(scene, transport)
    session.device = "cpu"
    session.choose_model(Installed(bundle, verify(bundle)))
    session.choose_volume(node_from_volume(scene, volume, "CT"))
    asked = requests(volume, list(session.rows))
    session.corrections.auto_rerun = False
    started, nodes = time.perf_counter(), 0
    for number in range(rounds):
        name, organs, regions = asked[number % len(asked)]
        for organ in session.rows:
            session.corrections.auto_again(organ) if organ in regions or name == "everything" else None
        for region in regions.values():
            session.corrections.set_region(region)
        assert session.run(organs), [session.problems.at(p) for p in session.problems.places]
        while session.busy:
            session.tick()
            time.sleep(0.005)
        assert not session.problems.places, session.problems.at(session.problems.places[0])
        seen = volume_from_node(session.volume_node)
        found = hashlib.sha256()
        segmentation = session.target.GetSegmentation() if session.target is not None else None
        for organ in organs or session.rows:
            if segmentation is not None and segmentation.GetSegment(organ) is not None:
                found.update(mask_from_segment(session.target, organ, seen).full().tobytes())
        figures.result(name, found.hexdigest())
        figures.note("worker", transport.pid or "self")
        figures.note("program", "self")
        nodes = nodes or scene.GetNumberOfNodes() if number == len(asked) else nodes  # type: ignore[attr-defined]
        tell(number)
    figures.seconds = time.perf_counter() - started
    figures.counts["nodes in the scene"] = (nodes, scene.GetNumberOfNodes())  # type: ignore[attr-defined]
    figures.counts["files in the private folder"] = (0, len(list(transport.folder.iterdir())))
    session.close()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--model", default="phantom", help="installed name or folder")
    parser.add_argument("--only", choices=["worker", "scene"])
    options = parser.parse_args()
    from TwoStageSegLib.sample.phantom import generate

    folder = Path(options.model) if Path(options.model).is_dir() else resource_path("models") / options.model
    volume = generate(7, surroundings=False).volume

    def tell(number: int) -> None:
        if number % 20 == 19:
            sys.stderr.write(f"{number + 1} ")
            sys.stderr.flush()

    if options.only != "scene":
        print("\n".join(soak_worker(folder, volume, options.rounds, tell).lines()))
    if options.only != "worker":
        from Testing.harness.minislicer import boot

        print("\n".join(soak_scene(boot().scene, folder, volume, options.rounds, tell).lines()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Trains a tiny network over and over, killed with SIGKILL at each of its steps, and resumes it: a program for a test.

    python -m Testing.hardening.interrupted_training PREPARED SCRATCH

Every run is a fork of this process, so that torch is imported once. Prints one JSON object: the phases that were cut,
and those after which the losses or weights were not the very same bits.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from Testing.harness.tiny_recipe import TINY
from training import fit as module
from training.data.prepared import load_cases
from training.recipes.recipe import Target
from training.tasks.segment import SegmentTask

OPTIONS = module.FitOptions(steps=4, decay_steps=2, warmup=2, every=2, half=False)
ORGAN = replace(TINY, targets=(Target("Brainstem", "Brainstem", (16, 16, 16), 1.0),))


class Killer:
    """Counts what training does; kills the process when it comes to number ``at``."""

    def __init__(self, at: int):
        self.at, self.seen = at, list[str]()

    def here(self, phase: str) -> None:
        self.seen.append(phase)
        if len(self.seen) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, before: bool = True, after: bool = False) -> None:
        real: Callable = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            if before:
                self.here(f"before {name}")
            result = real(*arguments, **named)
            if after:
                self.here(f"after {name}")
            return result

        setattr(owner, name, wrapped)

    def half_written(self) -> None:
        """A tensor file of which only the first half has reached the disk when the process dies."""
        real = module.save_file

        def save_file(tensors: Any, path: Path, *rest: Any) -> None:
            real(tensors, path, *rest)
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
            self.here("in the middle of a file")
            path.write_bytes(whole)

        module.save_file = save_file


def train(folder: Path, cases: Path, at: int = 0) -> list[str]:
    """One training run in this process; returns the phases it went through."""
    task = SegmentTask(ORGAN, load_cases(cases, "train"), load_cases(cases, "validation"))
    killer = Killer(at)
    for owner, name, before, after in (
        (task, "batch", True, False),
        (task, "loss", True, False),
        (torch.autograd, "backward", True, False),
        (torch.optim.AdamW, "step", True, True),
        (module, "_update", True, True),
        (task, "validate", True, True),
        (module, "_checkpoint", True, False),
        (pathlib.Path, "write_text", True, True),
        (os, "replace", True, True),
        (pathlib.Path, "unlink", True, True),
    ):
        killer.around(owner, name, before, after)
    killer.half_written()
    module.fit(task, folder, OPTIONS, quiet=True)
    return killer.seen


def warm_up() -> None:
    """What torch imports at its first optimiser step, once for all forks."""
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    torch.optim.AdamW([weight]).step()


def child(work: Callable[[], Any]) -> int:
    """Run in a fork; the signal that ended it, 0 if none did."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "a training run failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def outcome(folder: Path) -> tuple[str, str]:
    """Losses, scores and learned weights of a finished run, as hashes of their bits."""
    (state,) = folder.glob("state_*.json")
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in json.loads(state.read_text())["history"]]
    files = [folder / name for name in ("final.safetensors", "best.safetensors")]
    return json.dumps(rows), "".join(hashlib.sha256(f.read_bytes()).hexdigest() for f in files)


def main(cases: Path, scratch: Path) -> int:
    torch.set_num_threads(1)
    warm_up()
    reading, writing = os.pipe()
    assert child(lambda: os.write(writing, json.dumps(train(scratch / "whole", cases)).encode())) == 0
    phases = json.loads(os.read(reading, 1_000_000))
    whole, wrong = outcome(scratch / "whole"), []
    for number, phase in enumerate(phases, 1):
        folder = scratch / str(number)
        assert child(lambda n=number, f=folder: train(f, cases, n)) == signal.SIGKILL
        assert child(lambda f=folder: train(f, cases)) == 0
        left = [p.name for p in folder.iterdir() if p.suffix == ".tmp"]
        if outcome(folder) != whole or left:
            wrong.append(f"{number} {phase} {left}")
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps({"phases": phases, "wrong": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

"""The training loop: seeded batches, mixed precision, averaged weights, checkpoints that resume exactly.

Every batch is drawn from a generator seeded by (seed, step), so a run that was interrupted and resumed sees the same
batches and prints the same losses. Checkpoints are safetensors plus JSON, written by atomic rename.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from .schedules import cosine_restarts
from .tasks.base import Alternating, Batch, Task, Turn


@dataclass(frozen=True)
class FitOptions:
    """How long and how fast.

    steps : optimiser steps in all. decay_steps : the last ones, over which the rate falls linearly to zero.
    restarts : steps of the first cosine cycle of papers/001's warm restarts, instead of the linear fall; 0: none.
    every : steps between validations. patience : validations without a better score before stopping (0: never).
    snapshot_minutes : keep the averaged weights of every so many minutes of training, for budget-matched comparison.
    """

    steps: int = 20000
    decay_steps: int = 5000
    restarts: int = 0
    warmup: int = 200
    lr: float = 1e-3
    weight_decay: float = 1e-4
    ema: float = 0.998
    seed: int = 0
    every: int = 500
    patience: int = 0
    snapshot_minutes: float = 0.0
    device: str = "cpu"
    half: bool = True


@dataclass
class State:
    """What a resumed run must know besides tensors. ``where``: what it computes on (not stated: one CPU core)."""

    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_step: int = 0
    where: str = "one CPU core"
    history: list[dict[str, float]] = field(default_factory=list)


def fit(task: Task, folder: Path, options: FitOptions, quiet: bool = False, start: Path | None = None) -> State:
    """Train ``task`` in ``folder``, resuming what is there; ``start`` are weights to begin a new run with.

    Files: ``last`` (resume), ``best.safetensors`` (averaged weights of the best validation), ``final.safetensors``
    (averaged weights at the end), ``state.json``, TensorBoard events.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    device = torch.device(options.device)
    network = task.network().to(device)
    if start is not None:
        network.load_state_dict(load_file(start))
    average = task.network().to(device).eval()
    average.load_state_dict(network.state_dict())
    turns = task.turns(network) if isinstance(task, Alternating) else [Turn(network.parameters(), task.loss)]
    optimisers = [torch.optim.AdamW(t.parameters, lr=options.lr, weight_decay=options.weight_decay) for t in turns]
    state = _resume(folder, network, average, optimisers)
    state.where = _where(device)
    writer = SummaryWriter(str(folder))
    bar = tqdm(total=options.steps, initial=state.step, desc=task.name, disable=quiet, mininterval=5)
    shown: list[float] = []
    while state.step < options.steps and not _out_of_patience(state, options):
        started = time.perf_counter()
        batch = {k: v.to(device) for k, v in task.batch(np.random.default_rng((options.seed, state.step))).items()}
        network.train()
        losses = [
            _stepped(network, batch, turn, optimiser, learning_rate(state.step, options), options)
            for turn, optimiser in zip(turns, optimisers, strict=True)
        ]
        _update(average, network, min(options.ema, (1 + state.step) / (10 + state.step)))
        shown.append(losses[0])
        state.step += 1
        previous, state.seconds = state.seconds, state.seconds + time.perf_counter() - started
        if options.snapshot_minutes and int(previous / 60 / options.snapshot_minutes) < int(
            state.seconds / 60 / options.snapshot_minutes
        ):
            save(average.state_dict(), folder / f"at_{round(state.seconds / 60):03d}min.safetensors")
        bar.update()
        if state.step % options.every == 0 or state.step == options.steps:
            with _autocast(options):
                scores = task.validate(average, device)
            _record(state, scores, float(np.mean(shown)), writer, bar)
            shown.clear()
            if scores["score"] > state.best:
                state.best, state.best_step = scores["score"], state.step
                save(average.state_dict(), folder / "best.safetensors")
            _checkpoint(folder, network, average, optimisers, state)
    save(average.state_dict(), folder / "final.safetensors")
    writer.close()
    bar.close()
    return state


def _stepped(
    network: nn.Module, batch: Batch, turn: Turn, optimiser: torch.optim.Optimizer, rate: float, options: FitOptions
) -> float:
    """One optimiser's step on the batch; its loss."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    with _autocast(options):
        loss = turn.loss(network, batch)
    network.zero_grad(set_to_none=True)  # another turn's loss may have left gradients in this one's parameters
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 5.0)
    optimiser.step()
    return float(loss.detach())


def learning_rate(step: int, options: FitOptions) -> float:
    """Linear warm-up, then constant and a linear decay to zero over the last ``decay_steps``, or warm restarts."""
    warm = min(1.0, (step + 1) / max(1, options.warmup))
    if options.restarts:
        return options.lr * warm * cosine_restarts(step, options.restarts)
    left = (options.steps - step) / max(1, options.decay_steps)
    return options.lr * min(warm, 1.0, max(0.0, left))


def _out_of_patience(state: State, options: FitOptions) -> bool:
    """True once validation has not improved for long enough; a run that stopped stays so when it is resumed."""
    return options.patience > 0 and state.step - state.best_step >= options.patience * options.every


def save(tensors: dict[str, Tensor], path: Path) -> None:
    """Write safetensors by atomic rename."""
    temporary = path.with_suffix(".tmp")
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary)
    os.replace(temporary, path)


def _where(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return "one CPU core" if threads == 1 else f"{threads} CPU cores"


def _autocast(options: FitOptions) -> contextlib.AbstractContextManager[object]:
    kind = torch.device(options.device).type
    return torch.autocast(kind, torch.bfloat16, enabled=options.half)


@torch.no_grad()
def _update(average: nn.Module, network: nn.Module, keep: float) -> None:
    for a, b in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if a.is_floating_point():  # batch normalisation's running means too; a count of batches is no average
            a.lerp_(b, 1 - keep)
        else:
            a.copy_(b)


def _record(state: State, scores: dict[str, float], loss: float, writer: SummaryWriter, bar: tqdm) -> None:
    state.history.append({"step": state.step, "seconds": round(state.seconds, 1), "loss": loss, **scores})
    for key, value in (("loss", loss), *scores.items()):
        writer.add_scalar(key, value, state.step)
    bar.set_postfix(loss=f"{loss:.3f}", score=f"{scores['score']:.3f}")


def _checkpoint(
    folder: Path, network: nn.Module, average: nn.Module, optimisers: Sequence[torch.optim.Optimizer], state: State
) -> None:
    tensors = {f"network.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for turn, optimiser in enumerate(optimisers):
        for i, slot in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{turn}.{i}.{k}": torch.as_tensor(v).clone() for k, v in slot.items()}
    # state first: a state.json one checkpoint ahead of the tensors would skip batches, so they hold their step too
    tensors["step"] = torch.tensor(state.step)
    text = folder / "state.tmp"
    text.write_text(json.dumps(asdict(state), indent=0), encoding="utf-8")
    os.replace(text, folder / f"state_{state.step}.json")
    save(tensors, folder / "last.safetensors")
    for old in folder.glob("state_*.json"):
        if old.name != f"state_{state.step}.json":
            old.unlink()


def _resume(folder: Path, network: nn.Module, average: nn.Module, optimisers: Sequence[torch.optim.Optimizer]) -> State:
    path = folder / "last.safetensors"
    if not path.exists():
        return State()
    tensors = load_file(path)
    network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network.")})
    average.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("average.")})
    for turn, optimiser in enumerate(optimisers):
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(f"optimiser.{turn}."):
                _, _, index, name = key.split(".", 3)
                slots.setdefault(int(index), {})[name] = value
        if slots:
            optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
    state = folder / f"state_{int(tensors['step'])}.json"
    for other in (*folder.glob("state_*.json"), *folder.glob("*.tmp")):  # of a checkpoint that was interrupted
        if other != state:
            other.unlink()
    return State(**json.loads(state.read_text(encoding="utf-8")))

"""``python -m training``: produce and measure model bundles."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Entry point; see ``python -m training --help``."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="prepare a data set")
    data.add_argument("dataset", choices=["openkbp"])
    data.add_argument("--from", dest="source", type=Path, required=True, help="folder of the data set as downloaded")
    data.add_argument("--to", type=Path, default=Path("prepared"), help="where prepared cases go (default: prepared)")
    _fit_arguments(commands.add_parser("fit", help="train one network of a recipe, or resume"))
    options = parser.parse_args(arguments)
    if options.command == "data":
        from .data.openkbp import prepare

        count = prepare(options.source, options.to / options.dataset)
        sys.stdout.write(f"{count} cases prepared in {options.to / options.dataset}\n")
        return 0
    return _fit(options)


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", choices=["locate", "segment", "baseline"])
    parser.add_argument("--data", type=Path, default=Path("prepared/openkbp"))
    parser.add_argument("--run", type=Path, default=Path("runs/hn-oar-ct"), help="folder of checkpoints and logs")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--decay-steps", type=int, default=5000)
    parser.add_argument("--every", type=int, default=500, help="steps between validations")
    parser.add_argument("--patience", type=int, default=0, help="validations without gain before stopping; 0: never")
    parser.add_argument("--snapshot-minutes", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--threads", type=int, default=0)


def _fit(options: argparse.Namespace) -> int:
    import torch

    from .data.prepared import load_cases
    from .fit import FitOptions, fit
    from .recipes.hn_oar_ct import RECIPE
    from .tasks.baseline import BaselineTask
    from .tasks.locate import LocateTask
    from .tasks.segment import SegmentTask

    if options.threads:
        torch.set_num_threads(options.threads)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    training, validation = load_cases(options.data, "train"), load_cases(options.data, "validation")
    task = {"locate": LocateTask, "segment": SegmentTask, "baseline": BaselineTask}[options.network](
        RECIPE, training, validation
    )
    settings = FitOptions(
        steps=options.steps,
        decay_steps=options.decay_steps,
        lr=RECIPE.lr,
        weight_decay=RECIPE.weight_decay,
        ema=RECIPE.ema,
        seed=options.seed,
        every=options.every,
        patience=options.patience,
        snapshot_minutes=options.snapshot_minutes,
        device=device,
    )
    state = fit(task, options.run / options.network, settings)
    sys.stdout.write(f"{options.network}: {state.step} steps, {state.seconds / 60:.1f} min, best score {state.best:.4f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

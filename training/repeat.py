"""The experiment of papers/002: every network trained again and again from other random weights, and what that says.

002 trains baseline, locator and segmenter until ten runs of each converged (validation Dice of 0.1 at some time), pairs
the i-th of each, and compares means over *runs* by an independent t-test. That tests the noise of training, not
patients, so Dice per case and a paired test over cases stand beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.outputs.atomic import atomic_file

from .baseline import evaluate_baseline
from .data.prepared import Case
from .evaluate import evaluate
from .export import export
from .fit import FitOptions
from .measure import SLICES, Row
from .recipes.recipe import Recipe
from .sources import Source
from .statistics import independent_t, paired_t
from .train import Cases, budget_of, fit_one

CONVERGED = 0.1
WAYS = ("baseline", "two stages", "true box")


@dataclass(frozen=True)
class Run:
    """One repetition, by way and organ: ``pooled`` Dice over all cases' voxels (002), ``mean`` of the cases' Dice.

    ``converged``: per network, whether its validation score ever reached ``CONVERGED``. ``minutes``: of its training.
    """

    seed: int
    converged: dict[str, bool]
    minutes: dict[str, float]
    pooled: dict[str, dict[str, float]]
    mean: dict[str, dict[str, float]]
    cases: dict[str, dict[str, dict[str, float]]]


def repeat(
    recipe: Recipe, source: Source, cases: Cases, test: list[Case], run: Path, settings: FitOptions, runs: int
) -> Iterator[Run]:
    """Train, export and measure ``runs`` times in ``run/0``, ``run/1``...; what is finished there is not done again."""
    names = ("locate", *recipe.segmenters, "baseline")
    if missing := [name for name in names if budget_of(recipe, name) is None]:
        raise UsageError("E_RECIPE", f"The recipe {recipe.name} has no budget for {', '.join(missing)}.")
    for seed in range(runs):
        finished = run / str(seed) / "run.json"
        if not finished.exists():
            found = _once(recipe, source, cases, test, run / str(seed), replace(settings, seed=seed), names)
            with atomic_file(finished) as temporary:
                temporary.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
        yield Run(**json.loads(finished.read_text(encoding="utf-8")))


def _once(
    recipe: Recipe,
    source: Source,
    cases: Cases,
    test: list[Case],
    folder: Path,
    settings: FitOptions,
    names: tuple[str, ...],
) -> Run:
    states = {}
    for name in names:
        budget = budget_of(recipe, name)
        assert budget is not None
        states[name] = fit_one(recipe, budget, cases, folder, settings, quiet=True)
    rows = [{**row, "way": "baseline"} for row in evaluate_baseline(recipe, folder / "baseline/best.safetensors", test)]
    try:
        model = export(recipe, source, folder, folder / "bundle", cases[1], "1.0.0")
    except SystemExit:  # a locator that found an organ in no validation case: all of that run's organs are missed
        pass
    else:
        names_of = {"auto": "two stages", "box": "true box"}
        measured = evaluate(model, test, curves=False, device=settings.device)
        rows += [{**row, "way": names_of[row["way"]]} for row in measured if row["way"] in names_of]
    return Run(
        settings.seed,
        {name: state.best >= CONVERGED for name, state in states.items()},
        {name: round(state.seconds / 60, 2) for name, state in states.items()},
        _table(rows, pooled_dice),
        _table(rows, lambda own: float(np.mean([r["dice"] for r in own]))),
        {w: _by_case(rows, w) for w in WAYS},
    )


def pooled_dice(rows: list[Row]) -> float:
    """Dice over the voxels of all cases together, as 002's code computes it."""
    slices = [s for row in rows for s in row[SLICES]]
    total = sum(s.mask_voxels + s.reference_voxels for s in slices)
    return 2 * sum(s.shared_voxels for s in slices) / total if total else 0.0


def _table(rows: list[Row], figure: Callable[[list[Row]], float]) -> dict[str, dict[str, float]]:
    organs = dict.fromkeys(row["organ"] for row in rows)
    return {
        way: {
            organ: round(figure(own), 4)
            for organ in organs
            if (own := [r for r in rows if r["way"] == way and r["organ"] == organ])
        }
        for way in WAYS
    }


def _by_case(rows: list[Row], way: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["way"] == way:
            found.setdefault(row["organ"], {})[row["case"]] = row["dice"]
    return found


def report(runs: list[Run], title: str) -> str:
    """Markdown: convergence, then per organ mean and spread over runs with both tests."""
    names = list(runs[0].converged)
    lines = [
        f"# {title}",
        "",
        f"{len(runs)} runs from other random weights (papers/002). Converged: validation score of {CONVERGED} or more.",
        "",
        "| network | converged | minutes, mean |",
        "|---|---|---|",
    ]
    for name in names:
        minutes = np.mean([r.minutes[name] for r in runs])
        lines.append(f"| {name} | {sum(r.converged[name] for r in runs)}/{len(runs)} | {minutes:.1f} |")
    measured = [r for r in runs if r.pooled["two stages"]]
    converged = [r for r in measured if all(r.converged.values())]
    lines += _dice(measured, f"the {len(measured)} runs that gave a bundle, converged or not")
    lines += _dice(converged, f"the {len(converged)} runs in which all converged, as 002 counts")
    lines += [
        "",
        "Dice pooled over voxels, mean ± sd over runs. p over runs: independent t-test against the baseline, as in 002 "
        "(training noise). p over cases: paired t-test of each case's mean Dice over the runs (patients).",
    ]
    return "\n".join(lines) + "\n"


def _dice(runs: list[Run], which: str) -> list[str]:
    """A table over some of the runs."""
    lines = ["", f"Over {which}:", ""]
    if len(runs) < 2:
        return [*lines, "Too few to compare."]
    lines += [
        "| organ | baseline | two stages | true box | p over runs: two stages | true box | p over cases: two stages |",
        "|---|---|---|---|---|---|---|",
    ]
    for organ in runs[0].pooled["baseline"]:
        values = {way: [r.pooled[way][organ] for r in runs] for way in WAYS}
        cells = [f"{np.mean(v):.3f} ± {np.std(v, ddof=1):.3f}" for v in values.values()]
        over_runs = [_p(independent_t(values["baseline"], values[way])) for way in WAYS[1:]]
        lines.append(f"| {organ} | {' | '.join(cells)} | {' | '.join(over_runs)} | {_p(_over_cases(runs, organ))} |")
    return lines


def _over_cases(runs: list[Run], organ: str) -> float | None:
    cases = sorted(runs[0].cases["baseline"][organ])
    means = [[float(np.mean([r.cases[way][organ][c] for r in runs])) for c in cases] for way in WAYS[:2]]
    return paired_t(*means)


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"

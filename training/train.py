"""From prepared cases to a recipe's trained networks: what ``fit`` does for one of them, in the recipe's order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from TwoStageSegLib.errors import UsageError

from .data.outliers import plausible_ranges, without_outliers
from .data.prepared import Case, load_cases
from .fit import FitOptions, State, fit
from .methods import method
from .recipes.common import Budget, CommonRecipe
from .recipes.recipe import check_cases

Cases = tuple[list[Case], list[Case]]


def load(recipe: CommonRecipe, data: Path, negatives: Path | None = None) -> Cases:
    """Training cases (with those that hold none of the organs, if given) and validation cases, without implausible
    contours. Raises UsageError where the cases are not what the recipe is for."""
    training = load_cases(data, "train")
    check_cases(recipe, training)
    if negatives:
        training += load_cases(negatives, "train")
    ranges = plausible_ranges(training)
    return without_outliers(training, ranges), without_outliers(load_cases(data, "validation"), ranges)


def budget_of(recipe: CommonRecipe, network: str) -> Budget | None:
    """What the recipe says about one network's training; None if nothing."""
    return next((b for b in recipe.budgets if b.network == network), None)


def fit_one(
    recipe: CommonRecipe,
    budget: Budget,
    cases: Cases,
    run: Path,
    settings: FitOptions,
    start: Path | None = None,
    quiet: bool = False,
) -> State:
    """Train one network in ``run/NAME`` within its budget, or resume it. ``start``: weights to begin with."""
    options = replace(
        settings,
        steps=budget.steps,
        decay_steps=budget.decay_steps,
        restarts=budget.restarts,
        every=budget.every,
        warmup=min(200, max(1, budget.steps // 10)),  # of a short run a short part
        lr=recipe.lr if budget.lr is None else budget.lr,
        weight_decay=recipe.weight_decay,
        ema=recipe.ema,
    )
    if start is None and budget.start:
        start = run / budget.start / "best.safetensors"
    task = method(recipe.system).task(budget.network, recipe, *cases, run)
    return fit(task, run / budget.network, options, quiet=quiet, start=start)


def shortened(budget: Budget, share: float) -> Budget:
    """The budget with a share of its steps, all its parts alike."""

    def part(count: int) -> int:
        return max(1, round(count * share)) if count else 0

    return replace(
        budget,
        steps=part(budget.steps),
        decay_steps=part(budget.decay_steps),
        restarts=part(budget.restarts),
        every=part(budget.every),
    )


def train_all(
    recipe: CommonRecipe, cases: Cases, run: Path, settings: FitOptions, share: float = 1.0, quiet: bool = False
) -> Iterator[str]:
    """Every network of the recipe in order, with a share of its steps; a line about each. What is finished already
    takes no time."""
    names = method(recipe.system).names(recipe)
    if missing := [name for name in names if budget_of(recipe, name) is None]:
        raise UsageError("E_RECIPE", f"The recipe {recipe.name} has no budget for {', '.join(missing)}. Use fit.")
    for name in names:
        budget = budget_of(recipe, name)
        assert budget is not None
        state = fit_one(recipe, shortened(budget, share), cases, run, settings, quiet=quiet)
        yield f"{name}: {state.step} steps, {state.seconds / 60:.1f} min, best validation {state.best:.4f}"

"""What each ``python -m training`` command does: a few lines that read as a table of contents."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from TwoStageSegLib.errors import UsageError

if TYPE_CHECKING:
    from .fit import FitOptions


def data(options: argparse.Namespace) -> int:
    """Prepare a data set."""
    target = options.to / options.dataset
    if options.dataset == "phantom":
        from .data.phantom import prepare as generate

        count = generate(target, options.cases)
    elif options.source is None:
        raise UsageError("E_USAGE", "Say where the data set is: --from DIR")
    elif options.dataset in ("openkbp", "sts"):
        from .data import openkbp, sts

        prepare = {"openkbp": openkbp.prepare, "sts": sts.prepare}[options.dataset]
        count = prepare(options.source, target)
    else:
        count, target = _converted(options)
    sys.stdout.write(f"{count} cases prepared in {target}\n")
    return 0


def _converted(options: argparse.Namespace) -> tuple[int, Path]:
    """A data set in a layout that researchers have; number of cases, and where they are."""
    from .data.convert import convert
    from .data.layouts import Wanted, names_of, open_dataset
    from .data.split import Shares

    wanted = Wanted(options.modality, options.image, options.labels, options.patient, names_of(options.names))
    name, spec, cases = open_dataset(options.dataset, options.source, wanted)
    target = options.to / (options.name or name)
    shares = Shares(options.validation, options.test, options.seed)
    convert(cases, spec, target, name, shares, options.organs, options.split, _nothing if options.quiet else _told)
    return len(list(target.glob("*/case.json"))), target


def _told(line: str) -> None:
    sys.stderr.write(line + "\n")


def _nothing(line: str) -> None:
    pass


def suggest(options: argparse.Namespace) -> int:
    """Prepared cases -> system, sizes and a recipe, with reasons."""
    from .suggest import as_json, as_text, suggest

    found = suggest(options.source, options.name)
    sys.stdout.write(as_json(found) if options.json else as_text(found, options.source, options.to))
    if options.to:
        from .recipes.file import write_recipe

        write_recipe(options.to, found.recipe, found.source)
    return 0


def fit(options: argparse.Namespace) -> int:
    """Train one network, or resume."""
    from .recipes import recipe
    from .recipes.common import Budget
    from .train import budget_of, fit_one, load

    chosen, _ = recipe(options.recipe)
    budget = budget_of(chosen, options.network) or Budget(options.network, 20000, 5000, every=500)
    given = {name: getattr(options, name) for name in ("steps", "decay_steps", "restarts", "every")}
    budget = replace(budget, **{name: value for name, value in given.items() if value is not None})
    cases = load(chosen, options.data, options.negatives)
    state = fit_one(chosen, budget, cases, options.run, _settings(options), options.start)
    sys.stdout.write(
        f"{options.network}: {state.step} steps, {state.seconds / 60:.1f} min, best validation {state.best:.4f}\n"
    )
    return 0


def train(options: argparse.Namespace) -> int:
    """Recipe and prepared cases -> bundle: every network's fit in order, then export."""
    from .export import export as write
    from .recipes import recipe
    from .train import load, train_all

    chosen, source = recipe(options.recipe)
    cases = load(chosen, options.data, options.negatives)
    for line in train_all(chosen, cases, options.run, _settings(options), options.share):
        sys.stdout.write(line + "\n")
    model = write(chosen, source, options.run, options.to, cases[1], options.bundle_version)
    sys.stdout.write(f"{model.name} {model.manifest.version} in {model.folder}, sha256 {model.sha256[:12]}\n")
    return 0


def _settings(options: argparse.Namespace) -> FitOptions:
    """What does not belong to a network: seed, device, when to stop."""
    import torch

    from .fit import FitOptions

    if options.threads:
        torch.set_num_threads(options.threads)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    return FitOptions(
        seed=options.seed, patience=options.patience, snapshot_minutes=options.snapshot_minutes, device=device
    )


def export(options: argparse.Namespace) -> int:
    """Run -> bundle."""
    from .data.outliers import plausible_ranges, without_outliers
    from .data.prepared import load_cases
    from .export import export as write
    from .recipes import recipe

    chosen, source = recipe(options.recipe)
    ranges = plausible_ranges(load_cases(options.data, "train"))
    validation = without_outliers(load_cases(options.data, "validation"), ranges)
    model = write(chosen, source, options.run, options.to, validation, options.bundle_version, options.weights)
    sys.stdout.write(f"{model.name} {model.manifest.version} in {model.folder}, sha256 {model.sha256[:12]}\n")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Bundle -> figures."""
    from TwoStageSegLib.model import load_model

    from .about import about_bundle
    from .data.prepared import load_cases
    from .evaluate import evaluate as measure
    from .evaluate import evaluation_for_manifest, summarise, table, write_results
    from .export import budget
    from .plots import plot_curves, plot_dice

    cases = _selected(load_cases(options.data, options.split), options)
    model = load_model(options.bundle)
    if options.surroundings and model.manifest.input.modality != "CT":
        raise UsageError("E_USAGE", "--surroundings puts a couch around a CT; this model is for another kind of image.")
    rows = measure(model, cases, not options.no_curves, options.device, options.surroundings)
    summary = summarise(rows, model.manifest.organ_names)
    training = budget(options.run, model.manifest.networks) if options.run else "not stated"
    about = about_bundle(model, options.device, options.split, options.grade, len(cases)) | {"training": training}
    write_results(options.to, rows, summary, about)
    plot_dice(rows, options.to / "dice.png")
    if not options.no_curves:
        plot_curves(summary, options.to / "location_error.png")
    sys.stdout.write(table(summary))
    if options.write:
        grade = f" of grade {options.grade}" if options.grade and any(c.grade for c in cases) else ""
        text = f"{len(cases)} {options.split} cases{grade} ({options.data.name}), whole organs only"
        evaluation_for_manifest(model, summary, text, training)
    return 0


def baseline(options: argparse.Namespace) -> int:
    """Single-stage network -> figures."""
    from .about import about_run, parameter_count
    from .baseline import evaluate_baseline
    from .data.prepared import load_cases
    from .evaluate import summarise, write_results
    from .recipes import recipe
    from .recipes.recipe import Recipe

    chosen, _ = recipe(options.recipe)
    if not isinstance(chosen, Recipe):
        raise UsageError("E_RECIPE", f"The baseline is that of localise-crop; {chosen.name} is for {chosen.system}.")
    cases = _selected(load_cases(options.data, options.split), options)
    rows = evaluate_baseline(chosen, options.weights, cases)
    summary = summarise(rows, chosen.organs)
    about = {"name": "one stage", "system": "baseline", "parameters": parameter_count(options.weights)}
    write_results(options.to, rows, summary, about | about_run("cpu", options.split, options.grade, len(cases)))
    for organ, entry in summary.items():
        sys.stdout.write(
            f"{organ:14s} n {entry['n']:3d}  Dice {entry['auto']['dice']:.3f}  HD95 {entry['auto']['hd95']}\n"
        )
    return 0


def repeat(options: argparse.Namespace) -> int:
    """Recipe -> the same training from other random weights, and a page of means and tests."""
    from TwoStageSegLib.outputs.atomic import atomic_file

    from .data.prepared import load_cases
    from .recipes import recipe
    from .recipes.recipe import Recipe
    from .repeat import repeat as runs_of
    from .repeat import report
    from .train import load

    chosen, source = recipe(options.recipe)
    if not isinstance(chosen, Recipe):
        raise UsageError("E_RECIPE", f"Repeating compares with the baseline of localise-crop, not {chosen.system}.")
    cases = load(chosen, options.data, options.negatives)
    test = _selected(load_cases(options.data, "test"), options, "test")
    found = []
    for run in runs_of(chosen, source, cases, test, options.run, _settings(options), options.runs):
        found.append(run)
        sys.stdout.write(f"run {run.seed}: {', '.join(n for n, c in run.converged.items() if c)} converged\n")
    options.to.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(options.to) as temporary:
        temporary.write_text(report(found, f"{chosen.name}, repeated"), encoding="utf-8")
    sys.stdout.write(f"{options.to}\n")
    return 0


def results(options: argparse.Namespace) -> int:
    """Evaluations -> one page."""
    import shutil

    from .results_page import PLOTS, REVIEW_PLOTS, page

    text = page(
        options.title,
        options.shipped,
        options.same_budget,
        options.baseline,
        options.surroundings,
        options.budgets,
        options.review,
    )
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.write_text(text, encoding="utf-8")
    plots = [options.shipped / name for name in PLOTS]
    plots += [options.review / name for name in REVIEW_PLOTS] if options.review else []
    for plot in plots:
        if plot.is_file():
            shutil.copyfile(plot, options.to.parent / plot.name)
    sys.stdout.write(f"{options.to}\n")
    return 0


def compare(options: argparse.Namespace) -> int:
    """Evaluations of two systems or more -> one page with statistics and plots."""
    from .compare import compare as write

    sys.stdout.write(f"{write(options.systems, options.to, options.bundle, options.title)}\n")
    return 0


def overview(options: argparse.Namespace) -> int:
    """Evaluations of any systems -> one page, with the papers' claims tested."""
    from .overview import overview as write

    page = write(options.systems, options.budget, options.views, options.to, options.title)
    sys.stdout.write(f"{page}\n")
    return 0


def suspicion(options: argparse.Namespace) -> int:
    """Bundle -> model of suspicious slices, and its figures on test cases."""
    from TwoStageSegLib.model import load_model

    from .data.outliers import plausible_ranges, without_outliers
    from .data.prepared import load_cases
    from .suspicion.bundle import add_review
    from .suspicion.fit import review_specs
    from .suspicion.report import rankings, table, write
    from .suspicion.slices import collect, usual

    model = load_model(options.bundle)
    training = load_cases(options.data, "train")
    ranges = plausible_ranges(training)
    training, validation = (without_outliers(c, ranges) for c in (training, load_cases(options.data, "validation")))
    usually = {organ: usual(training, organ) for organ in model.manifest.organ_names}
    specs = review_specs(collect(model, validation, usually, whole=False), usually)
    test = _selected(load_cases(options.data, "test"), options, "test")
    values = write(options.to, rankings(collect(model, test, usually, whole=True), specs))
    sys.stdout.write(table(values))
    if options.write:
        add_review(model, specs, values)
    return 0


def _selected(cases: list, options: argparse.Namespace, split: str = "") -> list:
    chosen = [c for c in cases if not c.grade or options.grade in ("", c.grade)]  # most data sets have no grades
    if not chosen:
        raise UsageError(
            "E_CASES", f"None of the {split or options.split} cases has grade {options.grade!r}. Choose another."
        )
    return chosen[: options.limit] if options.limit else chosen

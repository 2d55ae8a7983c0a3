"""``python -m training``: produce and measure model bundles (data -> fit -> export -> evaluate)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.threads import keep_blas_to_one_thread

from . import commands
from .data.published import OWN, known

DATA = Path("prepared/openkbp")
RUN = Path("runs/hn-oar-ct")


def main(arguments: list[str] | None = None) -> int:
    """Entry point; see ``python -m training --help``."""
    keep_blas_to_one_thread()
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)
    _data(sub.add_parser("data", help="prepare a data set for training"))
    _suggest(sub.add_parser("suggest", help="look at prepared cases: which system, which sizes, and why; a recipe"))
    _fit(sub.add_parser("fit", help="train one network of a recipe; run again to resume"))
    _train(sub.add_parser("train", help="every network of a recipe, then its bundle, in one command; again to resume"))
    _export(sub.add_parser("export", help="turn a run into a model bundle, with measured margins and thresholds"))
    _evaluate(sub.add_parser("evaluate", help="measure a bundle on test cases: tables, plots, per-case CSV"))
    _baseline(sub.add_parser("baseline", help="measure the single-stage baseline on the same cases"))
    _repeat(sub.add_parser("repeat", help="the same training from other random weights, against the baseline"))
    _results(sub.add_parser("results", help="one page of figures from finished evaluations"))
    _compare(sub.add_parser("compare", help="two systems or more on the same cases: tables, statistics, plots"))
    _overview(sub.add_parser("overview", help="all systems on one page, and what the papers claim, tested"))
    _suspicion(sub.add_parser("suspicion", help="fit and measure what finds the slices that need a look"))
    options = parser.parse_args(arguments)
    run = getattr(commands, options.command)
    try:
        return int(run(options))
    except (FileNotFoundError, TwoStageSegError) as error:  # what the user can mend; anything else shows where it broke
        sys.stderr.write(f"{error}\n")
        return 2


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "dataset", choices=[*known(), "openkbp", "sts", "phantom"], metavar="DATASET",
        help="layout of your files (msd, nnunet: a folder with dataset.json; pairs: images with .seg.nrrd or label "
        "images; dicom: a folder of CT and RTSTRUCT per patient, named after its folder) or a published set: "
        + ", ".join(sorted({*known(), "openkbp", "sts", "phantom"} - set(OWN))),
    )  # fmt: skip
    parser.add_argument("--from", dest="source", type=Path, help="folder of the data set as downloaded")
    parser.add_argument("--to", type=Path, default=Path("prepared"), help="where prepared cases go (default: prepared)")
    parser.add_argument("--cases", type=int, default=60, help="phantom: how many to generate")
    own = parser.add_argument_group("your own files and published sets")
    own.add_argument("--name", default="", help="folder below --to; two sets may share one (default: the set's name)")
    own.add_argument("--image", default="", help="pairs: where images are (default: {case}{ext})")
    own.add_argument("--labels", default="", help="pairs: where labels are (default: {case}.seg.nrrd)")
    own.add_argument("--names", nargs="+", default=[], metavar="LABEL=ORGAN", help="what a label is, as 1=Spleen")
    own.add_argument("--organs", nargs="+", default=[], help="only these")
    own.add_argument("--modality", default="", choices=["", "CT", "MR"], help="where the files do not say it")
    own.add_argument("--patient", default="", help="expression whose group is the patient in a case's name")
    own.add_argument("--validation", type=float, default=0.15, help="share of the patients (default: 0.15)")
    own.add_argument("--test", type=float, default=0.15, help="share, where the set holds out none (default: 0.15)")
    own.add_argument("--seed", type=int, default=0, help="of the split")
    own.add_argument("--split", type=Path, help="a split file to keep to")
    own.add_argument("--quiet", action="store_true", help="no line per case")


def _suggest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder of prepared cases")
    parser.add_argument("--name", default="", help="name of the bundle to be (default: the folder's)")
    parser.add_argument("--to", type=Path, help="write the recipe there, for fit --recipe FILE")
    parser.add_argument("--json", action="store_true", help="what was seen and what follows as JSON")


def _fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", help="one that the recipe's budgets list, or baseline")
    parser.add_argument("--start", type=Path, help="weights to begin a new run with")
    parser.add_argument("--steps", type=int, help="default: the recipe's")
    parser.add_argument("--decay-steps", type=int, help="last steps, over which the rate falls to zero")
    parser.add_argument("--restarts", type=int, help="steps of the first cosine cycle of warm restarts")
    parser.add_argument("--every", type=int, help="steps between validations")
    _learning(parser)


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, help="bundle folder")
    parser.add_argument("--bundle-version", default="1.0.0")
    parser.add_argument("--share", type=float, default=1.0, help="of the recipe's steps: 0.25 for a first look")
    _learning(parser)


def _learning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="hn-oar-ct")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--negatives", type=Path, help="prepared cases without any of the organs, for the locator")
    parser.add_argument("--run", type=Path, default=RUN, help="folder of checkpoints and logs")
    parser.add_argument("--patience", type=int, default=0, help="validations without gain before stopping; 0: never")
    parser.add_argument("--snapshot-minutes", type=float, default=0.0, help="keep weights every so many minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's choice")


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="hn-oar-ct")
    parser.add_argument("--data", type=Path, default=DATA, help="prepared cases; the validation split calibrates")
    parser.add_argument("--run", type=Path, default=RUN)
    parser.add_argument("--to", type=Path, required=True, help="bundle folder, for example Resources/models/hn-oar-ct")
    parser.add_argument("--bundle-version", default="1.0.0")
    parser.add_argument(
        "--weights",
        default="best",
        help="checkpoint: best, final, at_020min; or one per network, as locate=best,segment=at_025min",
    )


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", help="installed name or folder")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", default="test")
    parser.add_argument("--grade", default="A")
    parser.add_argument("--to", type=Path, default=Path("results"))
    parser.add_argument("--no-curves", action="store_true", help="skip the location-error curves")
    parser.add_argument("--limit", type=int, default=0, help="only the first cases")
    parser.add_argument("--run", type=Path, help="the run the bundle came from, to state its training budget")
    parser.add_argument("--write", action="store_true", help="write the figures into the bundle's manifest and card")
    parser.add_argument(
        "--surroundings", action="store_true", help="put every scan into a 500 mm field with couch, 1 mm"
    )
    parser.add_argument("--device", default="auto")


def _baseline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", type=Path, help="safetensors of the baseline network")
    parser.add_argument("--recipe", default="hn-oar-ct")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", default="test")
    parser.add_argument("--grade", default="A")
    parser.add_argument("--to", type=Path, default=Path("results/baseline"))
    parser.add_argument("--limit", type=int, default=0)


def _repeat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--grade", default="A", help="grade of the test cases")
    parser.add_argument("--limit", type=int, default=0, help="only the first test cases")
    parser.add_argument("--to", type=Path, default=Path("results/repeated.md"))
    _learning(parser)


def _results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shipped", type=Path, help="folder that evaluate wrote")
    parser.add_argument("--title", default="hn-oar-ct on OpenKBP")
    parser.add_argument("--same-budget", type=Path, help="evaluate's folder of a bundle with the baseline's budget")
    parser.add_argument("--baseline", type=Path, help="folder that baseline wrote")
    parser.add_argument("--surroundings", type=Path, help="folder that evaluate --surroundings wrote")
    parser.add_argument("--budgets", default="", help="how long the compared networks were trained, in words")
    parser.add_argument("--review", type=Path, help="folder that suspicion wrote")
    parser.add_argument("--to", type=Path, default=Path("docs/results.md"))


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "systems", nargs="+", metavar="[NAME=]DIR", help="folders that evaluate or baseline wrote; two or more"
    )
    parser.add_argument("--to", type=Path, required=True, help="folder for compare.md and its plots")
    parser.add_argument("--title", default="Systems compared")
    parser.add_argument(
        "--bundle", action="append", default=[], metavar="NAME=BUNDLE",
        help="bundle of a system whose folder says nothing of it: parameters, location-error curve",
    )  # fmt: skip


def _overview(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("systems", nargs="+", metavar="[NAME=]DIR", help="folders that evaluate or baseline wrote")
    parser.add_argument("--budget", action="append", default=[], metavar="NAME=TEXT", help="how long it was trained")
    parser.add_argument("--views", type=Path, help="JSON of training.methods.multi_view.ablation")
    parser.add_argument("--title", default="The five systems")
    parser.add_argument("--to", type=Path, default=Path("docs/systems.md"))


def _suspicion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", help="installed name or folder")
    parser.add_argument("--data", type=Path, default=DATA, help="fitted on its validation split, measured on its test")
    parser.add_argument("--grade", default="A", help="grade of the test cases")
    parser.add_argument("--to", type=Path, default=Path("results/suspicion"))
    parser.add_argument("--limit", type=int, default=0, help="only the first test cases")
    parser.add_argument("--write", action="store_true", help="write model and figures into the bundle")


if __name__ == "__main__":
    raise SystemExit(main())

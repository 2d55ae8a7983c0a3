"""The command line ``twostageseg``: what can be asked, and what goes to the screen. The work is in ``commands/``.

Nothing heavy is imported here, so that ``--help`` and a misspelt option answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import NoReturn

from . import RESEARCH_NOTICE, __version__
from .errors import TwoStageSegError
from .threads import keep_blas_to_one_thread

EPILOG = """exit codes: 0 done; 1 unexpected; 2 usage; 3 the input was refused, nothing was written;
4 an organ asked for was not located (what was found is written)"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (argparse itself leaves by SystemExit 2 or 0)."""
    keep_blas_to_one_thread()
    for stream in (sys.stdout, sys.stderr):  # a Windows console or a pipe may not know every character
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    try:
        with _terminated_as_interrupted():
            outcome = import_module(f"TwoStageSegLib.commands.{options.command}").run(options)
    except TwoStageSegError as error:
        return _failed(f"{error} [{error.code}]", error.exit_code)
    except KeyboardInterrupt:
        return _failed("Cancelled. Nothing was written. [E_CANCELLED]", 1)
    except MemoryError:
        return _failed("Not enough memory. Close other programs, or choose fewer organs. [E_MEMORY]", 1)
    except Exception as error:
        from .worker_process import without_paths  # folders are often patients' names

        detail = without_paths(" ".join(str(error).split()))
        hint = "Please report it; TWOSTAGESEG_DEBUG=1 shows where it happened."
        return _failed(f"Unexpected {type(error).__name__}: {detail}. {hint} [E_UNEXPECTED]", 1)
    try:
        print(outcome.text, flush=True)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(outcome.exit_code)


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = _Parser(
        "twostageseg", description=f"Locate organs in CT and segment them. {RESEARCH_NOTICE}", epilog=EPILOG
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--version", action="version", version=f"twostageseg {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    commands.add_parser("models", help="list installed models: organs, licence, intended use, measured accuracy")
    _add_segment(commands.add_parser("segment", help="locate and segment organs in a CT"))
    _add_locate(commands.add_parser("locate", help="locate organs in a CT"))
    _add_review(commands.add_parser("review", help="list the slices of a segmentation that need a look, worst first"))
    _add_sample(commands.add_parser("sample", help="make a synthetic head-and-neck CT to try the rest on"))
    _add_web(commands.add_parser("web", help="locate, segment, correct and review in a web browser"))
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    _add_input(parser)
    add = parser.add_argument
    add("-o", "--output", metavar="OUT.seg.nrrd", help="segmentation to write (default: <CT>.seg.nrrd in this folder)")
    add("--centre", action="append", default=[], metavar="[NAME=]X,Y,Z", help="centre of an organ, LPS mm (repeatable)")
    add(
        "--box",
        action="append",
        default=[],
        metavar="[NAME=]X0,X1,Y0,Y1,Z0,Z1",
        help="box around an organ, LPS mm (repeatable); a centre or box replaces the automatic location",
    )
    add("--json", metavar="OUT.json", help="write status, region, volume and timings per organ")
    add("--report", metavar="OUT.html", help="write a page with pictures of every organ")
    _add_second_look(parser)


def _add_locate(parser: argparse.ArgumentParser) -> None:
    _add_input(parser)
    parser.add_argument("--json", metavar="OUT.json", required=True, help="write status and region per organ")


def _add_review(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("segmentation", metavar="SEG", help="segmentation to review: .seg.nrrd, or a label image in NRRD")
    add("--image", metavar="CT", required=True, help="the image it belongs to: file or DICOM folder")
    add("--reference", metavar="REF", help="contours to compare with, paired by name or code; then errors are listed")
    add("--model", metavar="NAME|DIR", help="whose suspicion is asked (default: the model that made SEG)")
    add("--device", default="auto", choices=("auto", "cuda", "cpu"), help="where to compute (default: auto)")
    add("--json", metavar="OUT.json", help="write every slice and every figure")
    add("--csv", metavar="OUT.csv", help="write every slice as a table")
    add("--report", metavar="OUT.html", help="write a page with profiles and pictures of the worst slices")
    _add_second_look(parser)
    add("--overwrite", action="store_true", help="replace output files that exist")


def _add_sample(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "folder",
        metavar="DIR",
        nargs="?",
        default=".",
        help="where to write the CT and its true organs (default: here)",
    )
    add("--seed", type=int, default=0, help="which patient (default: 0)")
    add("--overwrite", action="store_true", help="replace files that exist")


def _add_web(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("ct", metavar="CT", nargs="?", help="NRRD, NIfTI or MetaImage file, or a DICOM folder, opened in every window")
    add("--port", type=int, default=8080, help="port to listen at, 0 for a free one (default: 8080)")
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen at (default: 127.0.0.1, this computer alone; any other asks for a token)",
    )
    add("--model", default="", metavar="NAME", help="installed model to begin with (default: the first)")
    add("--device", default="auto", choices=("auto", "cuda", "cpu"), help="where to compute (default: auto)")
    add("--upload-mb", type=int, default=2048, metavar="MB", help="largest file that can be uploaded (default: 2048)")
    add("--windows", type=int, default=8, metavar="N", help="most windows at a time (default: 8)")
    add(
        "--keep",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a window's work is kept after its connection broke (default: 60)",
    )
    add("--no-browser", dest="open", action="store_false", help="do not open a browser")


def _add_input(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("ct", metavar="CT", help="NRRD, NIfTI or MetaImage file, or a DICOM folder")
    add(
        "--model", default="hn-oar-ct", metavar="NAME|DIR", help="installed model or bundle folder (default: hn-oar-ct)"
    )
    add("--organ", action="append", metavar="NAME", help="TG-263 name (repeatable; default: all of the model's)")
    add("--device", default="auto", choices=("auto", "cuda", "cpu"), help="where to compute (default: auto)")
    add("--overwrite", action="store_true", help="replace output files that exist")


def _add_second_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--second-look",
        action="store_true",
        help="judge the slices also by whether a moved crop gives the same outline (a quarter more time)",
    )


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """``kill`` and a batch system's end of time clean up as Ctrl-C does; by default nothing would."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def joined(arguments: Sequence[str]) -> list[str]:
    """``--centre -10,20,30`` as ``--centre=-10,20,30``: argparse takes a leading minus for an option."""
    out: list[str] = []
    for argument in arguments:
        if out and out[-1] in ("--centre", "--box") and re.match(r"-[\d.]", argument):
            out[-1] += f"={argument}"
        else:
            out.append(argument)
    return out


def _failed(line: str, code: int) -> int:
    if os.environ.get("TWOSTAGESEG_DEBUG") == "1":
        traceback.print_exc()
    print(f"twostageseg: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The table of the 65 numbered bad inputs: what makes each, and what has to come of it.

Every case is one entry, made by :func:`case` (a file that is given to the command line and to the session) or by
:func:`elsewhere` (what has no file, with the tests that show it, or the reason why nothing can).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .scans import Scan

TOTAL = 65


@dataclass(frozen=True)
class Expected:
    """``kind``: "refused" (exit 3, nothing written), "exact" (exit 0, every organ where it is), "missing" (exit 4).

    ``codes`` : one of these refuses it. ``says`` : what the message or the notices must hold.
    """

    kind: str
    codes: tuple[str, ...] = ()
    says: str = ""
    exit_code: int = 0


def refused(*codes: str, says: str = "", exit_code: int = 3) -> Expected:
    return Expected("refused", codes, says, exit_code)


def exact(says: str = "") -> Expected:
    return Expected("exact", says=says)


def missing(says: str = "") -> Expected:
    return Expected("missing", says=says, exit_code=4)


@dataclass(frozen=True)
class Given:
    """One input: file or folder, the scan it should be read as (None if it is refused), options of the call."""

    path: Path
    scan: Scan | None = None
    options: tuple[str, ...] = ()


Maker = Callable[[Path], "Given | Path | list[Given | Path]"]


@dataclass(frozen=True)
class Case:
    """``session``: what the session makes of it if that differs, or the reason why it cannot be asked."""

    number: int
    title: str
    expected: Expected
    make: Maker
    session: Expected | str | None = None

    def inputs(self, folder: Path) -> list[Given]:
        made = self.make(folder)
        return [g if isinstance(g, Given) else Given(g) for g in (made if isinstance(made, list) else [made])]


@dataclass(frozen=True)
class Elsewhere:
    """``tests``: "file.py::function" below Testing/. ``because``: why it is not, or not wholly, in the table."""

    number: int
    title: str
    tests: tuple[str, ...] = ()
    because: str = ""


@dataclass
class Table:
    cases: list[Case] = field(default_factory=list)
    others: list[Elsewhere] = field(default_factory=list)

    def numbers(self) -> set[int]:
        return {c.number for c in self.cases} | {e.number for e in self.others}


TABLE = Table()


def case(
    number: int, title: str, expected: Expected, session: Expected | str | None = None
) -> Callable[[Maker], Maker]:
    """Enter the decorated function, which makes the input in an empty folder."""

    def enter(make: Maker) -> Maker:
        TABLE.cases.append(Case(number, title, expected, make, session))
        return make

    return enter


def elsewhere(number: int, title: str, *tests: str, because: str = "") -> None:
    TABLE.others.append(Elsewhere(number, title, tests, because))

"""One file per command of the command line. Each has ``run(options) -> Outcome``; only ``cli`` prints."""

from __future__ import annotations

from dataclasses import dataclass

DONE, NOT_LOCATED = 0, 4


@dataclass(frozen=True)
class Outcome:
    """What a command has to say on stdout, and its exit code."""

    text: str
    exit_code: int = DONE

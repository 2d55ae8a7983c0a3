"""One line of progress on a terminal, nothing in a log file."""

from __future__ import annotations

import sys
from typing import TextIO


class ProgressLine:
    """Rewrites one line on ``stream`` while it is a terminal; call it like a pipeline's ``progress``."""

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._width = 0

    def __call__(self, stage: str, organ: str, fraction: float) -> None:
        self._write(f"{100 * fraction:3.0f} %  {stage} {organ}".rstrip())

    def clear(self) -> None:
        """Leave the line empty, so that what is printed next starts at its beginning."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)

"""Several files that belong to one run: all of them appear, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from .atomic import atomic_file


def write_together(writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write every file under a temporary name, then rename them all.

    Parameters
    ----------
    writers : by target, a function that writes the file to the path it is given (same suffix as the target).

    Raises
    ------
    InputRefused
        ``E_OUTPUT`` if a place cannot be written; whatever a writer raises. No new file is left then. (Only if the
        disk breaks between two renames may a target that existed before already hold its new content.)
    """
    new = [target for target in writers if not target.exists()]
    try:
        with ExitStack() as stack:
            temporaries = [stack.enter_context(atomic_file(target)) for target in writers]
            for write, temporary in zip(writers.values(), temporaries, strict=True):
                write(temporary)
    except BaseException:
        for target in new:
            with suppress(OSError):
                target.unlink()
        raise

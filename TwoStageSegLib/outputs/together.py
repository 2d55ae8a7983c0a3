"""Several files that belong to one run: all of them appear, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType

from .atomic import atomic_file


def write_together(writers: Mapping[Path, Callable[[Path], object]], replace: bool = True) -> None:
    """Write every file under a temporary name, then rename them all.

    Parameters
    ----------
    writers : by target, a function that writes the file to the path it is given (same suffix as the target).
    replace : False keeps what another run has made under one of the names meanwhile, and writes nothing then.

    Raises
    ------
    InputRefused
        ``E_OUTPUT`` if a place cannot be written; whatever a writer raises. No new file is left then. (Only if the
        disk breaks between two renames may a target that existed before already hold its new content.)
    UsageError
        ``E_EXISTS`` as said at ``replace``.
    """
    new = {target for target in writers if not target.exists()}
    placed: list[Path] = []  # under their own names: what stands at another name was made by somebody else
    try:
        with ExitStack() as stack:
            temporaries = []
            for target in writers:
                stack.push(partial(_note, placed, target))
                temporaries.append(stack.enter_context(atomic_file(target, replace)))
            for write, temporary in zip(writers.values(), temporaries, strict=True):
                write(temporary)
    except BaseException:
        for target in new.intersection(placed):
            with suppress(OSError):
                target.unlink()
        raise


def _note(
    placed: list[Path],
    target: Path,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
) -> None:
    """Called when ``target`` has got its name, or when something went wrong."""
    if kind is None:
        placed.append(target)

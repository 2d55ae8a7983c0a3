"""A file on its way in: written piece by piece under a name of ours, never larger than allowed."""

from __future__ import annotations

import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from ..errors import InputRefused

_PIECE = 1 << 18


class Stream(Protocol):
    """What aiohttp gives as a request's content."""

    def iter_chunked(self, size: int) -> AsyncIterator[bytes]: ...


async def receive(stream: Stream, stated: int | None, target: Path, limit: int) -> None:
    """Write what arrives to ``target``, whose folder is made; nothing of it stays if it is refused.

    Parameters
    ----------
    stated : size as the client states it, bytes; refused at once if it is over the limit, and not believed if below.

    Raises
    ------
    InputRefused : ``E_TOO_LARGE``; ``E_EMPTY``; ``E_DISK`` this computer's disk is full.
    """
    if stated is not None and stated > limit:
        raise _too_large(limit)
    target.parent.mkdir(mode=0o700)
    size = 0
    try:
        with target.open("xb") as file:
            async for piece in stream.iter_chunked(_PIECE):
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                file.write(piece)
        if not size:
            raise InputRefused("E_EMPTY", "The file is empty (0 bytes). Choose another.")
    except BaseException as error:
        shutil.rmtree(target.parent, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputRefused("E_DISK", "The disk of the computer that serves this page is full.") from None
        raise


def _too_large(limit: int) -> InputRefused:
    return InputRefused("E_TOO_LARGE", f"The file is larger than the {limit / 2**20:.0f} MB that are allowed here.")

"""Nothing is written half: a file appears whole under its name, or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputRefused, UsageError

# What a full, read-only or broken disk answers while a file is being written. Any other OSError is not about the
# output (a reader inside the ``with`` block may have failed) and is passed on as it is.
_DISK_TROUBLE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG,
}  # fmt: skip


_LONGEST_NAME = 240  # bytes; most file systems take 255, of which the temporary name needs ten more


@contextmanager
def atomic_file(target: str | Path, replace: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``target``; rename it to ``target`` when the block ends without an exception.

    The temporary file ends in the target's own name, so that writers which choose a format by the suffix work. On
    any exception, Ctrl+C included, it is removed and an existing ``target`` keeps its bytes. A symbolic link is
    followed, not replaced.

    Parameters
    ----------
    target : the file to make or replace.
    replace : False keeps a file that another program has made under this name meanwhile.

    Yields
    ------
    Path of the (existing, empty) temporary file.

    Raises
    ------
    InputRefused
        Code ``E_OUTPUT``: the folder is missing or not writable, the name is a folder, or the disk is full.
    UsageError
        Code ``E_EXISTS``: the file is there although it may not be replaced.
    """
    final = Path(os.path.realpath(target))
    refuse_unwritable(final)
    temporary = final.with_name(f".{secrets.token_hex(4)}.{final.name}")
    try:
        # Created here with the user's own umask (tempfile would make a file that colleagues cannot read).
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _flush(temporary)
        if replace:
            os.replace(temporary, final)
        else:
            _place_new(temporary, final)
    except OSError as error:
        if error.errno in _DISK_TROUBLE or "requested and" in str(error):  # numpy's words, which lack the number
            raise _refused(final, error.strerror or "the disk refused it") from error
        raise
    finally:
        with suppress(OSError):  # gone already if it was renamed, or never made
            temporary.unlink()


def refuse_unwritable(target: str | Path) -> None:
    """Raise InputRefused (``E_OUTPUT``) if ``target`` can be seen to be unwritable; worth asking before a long run."""
    target = Path(target)
    folder = target.parent
    if len(os.fsencode(target.name)) > _LONGEST_NAME:
        raise _refused(target.with_name(target.name[:40] + "..."), "the name is too long")
    if target.is_dir():
        raise _refused(target, "it is a folder")
    if not folder.is_dir():
        raise _refused(target, f"the folder {folder} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(target, f"the folder {folder} is not writable")


def _place_new(temporary: Path, final: Path) -> None:
    """Give a finished file its name unless that is taken: a hard link is made in one step or not at all."""
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise _appeared(final) from None
    except OSError:  # a file system without hard links: a gap of microseconds is left
        if final.exists():
            raise _appeared(final) from None
        os.replace(temporary, final)


def _appeared(final: Path) -> UsageError:
    return UsageError("E_EXISTS", f"{final} was made by another run meanwhile; it was kept. Choose another name.")


def _flush(path: Path) -> None:
    """Bring the bytes to the disk before the name: a rename must never survive a power cut that its data did not."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(target: Path, reason: str) -> InputRefused:
    target = target.with_name(re.sub(r"^\.[0-9a-f]{8}\.", "", target.name))  # as the user called it
    return InputRefused("E_OUTPUT", f"Cannot write {target}: {reason}. Choose another place; nothing was written.")

"""Nothing is written half: a file appears whole under its name, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputRefused

# What a full, read-only or broken disk answers while a file is being written. Any other OSError is not about the
# output (a reader inside the ``with`` block may have failed) and is passed on as it is.
_DISK_TROUBLE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG,
}  # fmt: skip


@contextmanager
def atomic_file(target: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; rename it to ``target`` when the block ends without an exception.

    The temporary file ends in the target's own name, so that writers which choose a format by the suffix work. On
    any exception, Ctrl+C included, it is removed and an existing ``target`` keeps its bytes. A symbolic link is
    followed, not replaced.

    Parameters
    ----------
    target : the file to make or replace.

    Yields
    ------
    Path of the (existing, empty) temporary file.

    Raises
    ------
    InputRefused
        Code ``E_OUTPUT``: the folder is missing or not writable, the name is a folder, or the disk is full.
    """
    final = Path(os.path.realpath(target))
    refuse_unwritable(final)
    temporary = final.with_name(f".{secrets.token_hex(4)}.{final.name}")
    try:
        # Created here with the user's own umask (tempfile would make a file that colleagues cannot read).
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _flush(temporary)
        os.replace(temporary, final)
    except OSError as error:
        if error.errno in _DISK_TROUBLE:
            raise _refused(final, error.strerror or "the disk refused it") from error
        raise
    finally:
        with suppress(OSError):  # gone already if it was renamed, or never made
            temporary.unlink()


def refuse_unwritable(target: str | Path) -> None:
    """Raise InputRefused (``E_OUTPUT``) if ``target`` can be seen to be unwritable; worth asking before a long run."""
    target = Path(target)
    folder = target.parent
    if target.is_dir():
        raise _refused(target, "it is a folder")
    if not folder.is_dir():
        raise _refused(target, f"the folder {folder} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(target, f"the folder {folder} is not writable")


def _flush(path: Path) -> None:
    """Bring the bytes to the disk before the name: a rename must never survive a power cut that its data did not."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(target: Path, reason: str) -> InputRefused:
    return InputRefused("E_OUTPUT", f"Cannot write {target}: {reason}. Choose another place; nothing was written.")

"""Folders that must not outlive their program: locked while it lives; if it was killed the next one removes them.

The lock is on the folder itself (``flock``) and goes with the process, however that ends. Where there is no such lock
(Windows, some network disks) nothing is swept.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

UNBORN_S = 3600.0
_held: dict[Path, int] = {}


def held_folder(prefix: str, parent: Path | None = None) -> Path:
    """A new empty folder ``<prefix><12 hex digits>``, mode 0700, locked until :func:`remove_held` or the process ends.

    Parameters
    ----------
    parent : where; None for the system's folder of temporary files.
    """
    made = Path(tempfile.mkdtemp(prefix=f".new{prefix}", dir=parent))
    handle = _lock(made)
    # under its own name only once it is locked: a sweep could take it in between
    final = made.with_name(prefix + secrets.token_hex(6) + ("" if handle is not None else "-unlocked"))
    made.rename(final)
    if handle is not None:
        _held[final] = handle
    return final


def remove_held(folder: Path) -> None:
    """Delete a held folder with what is in it. Never raises."""
    if not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    if (handle := _held.pop(folder, None)) is not None:
        with suppress(OSError):
            os.close(handle)


def abandoned(prefix: str, parent: Path | None = None) -> list[Path]:
    """Folders of this user whose program has ended without removing them. They are locked by us now: remove them."""
    found = []
    name = re.compile(re.escape(prefix) + "[0-9a-f]{12}")
    try:
        entries = list(Path(tempfile.gettempdir() if parent is None else parent).iterdir())
    except OSError:
        return []
    for folder in entries:
        if folder.name.startswith(f".new{prefix}"):
            _remove_unborn(folder)
        if not name.fullmatch(folder.name) or folder in _held or not _is_own_folder(folder):
            continue
        if (handle := _lock(folder)) is not None:
            _held[folder] = handle
            found.append(folder)
    return found


def _remove_unborn(folder: Path) -> None:
    """An empty folder whose program died before it gave it its name; a fresh one may be getting it just now."""
    with suppress(OSError):
        if _is_own_folder(folder) and time.time() - folder.stat().st_mtime > UNBORN_S:
            folder.rmdir()


def _is_own_folder(folder: Path) -> bool:
    try:
        return not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid()
    except (OSError, AttributeError):
        return False


def _lock(folder: Path) -> int | None:
    """A handle that holds the lock, None if somebody else does or there are no locks here."""
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle

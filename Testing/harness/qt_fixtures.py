"""pytest fixtures for tests that need Slicer's Qt half; skipped, with the reason, where Qt cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .minislicer import MiniSlicer
    from .qt.host import SlicerHost


@cache
def why_qt_cannot_start() -> str:
    """ "" if it can. Asked in a process of its own: where a system library is missing, Qt ends the process."""
    code = "from PySide6.QtWidgets import QApplication, QPushButton; QApplication([]); QPushButton('x').grab()"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return f"PySide6 cannot start here: {lines[-1][:200]}"


@pytest.fixture
def slicer_host(mini: MiniSlicer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlicerHost]:
    """Slicer's Qt half around an empty scene."""
    if reason := why_qt_cannot_start():
        pytest.skip(reason)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    from .module import start_slicer

    with start_slicer(mini) as host:
        yield host
        host.raise_failures()

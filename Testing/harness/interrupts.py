"""Ctrl+C for programs that tests start."""

from __future__ import annotations

import signal


def hear_interrupts() -> None:
    """For ``preexec_fn``: jobs that a shell starts in the background have SIGINT switched off, and pass that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

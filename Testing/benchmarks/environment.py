"""The environment that a benchmark needs from its first moment on: the process begins once more with it."""

from __future__ import annotations

import os
import sys

from TwoStageSegLib.worker_process import ALLOCATOR

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def begin_as_worker(threads: int) -> None:
    """Go on with the worker's allocator settings, and with so many threads in numpy's matrix products as in torch.

    Both are read when a process starts. Does nothing where they are set, and on other systems than Linux.
    """
    wanted = {**ALLOCATOR, **dict.fromkeys(THREADS, str(threads))}
    if sys.platform == "linux" and any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **wanted})

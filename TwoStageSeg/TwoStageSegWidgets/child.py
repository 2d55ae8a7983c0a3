"""A child process of Slicer's Python: bytes in, bytes out, an end. Slicer stays alive meanwhile."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from TwoStageSegLib.worker_process import worker_environment

_KILL_MS = 2000


class Child:
    """One process at a time.

    Parameters
    ----------
    on_output, on_errors : called with bytes as they arrive. on_end : called with the exit code and whether it crashed;
        not after :meth:`kill`.
    """

    def __init__(
        self,
        on_output: Callable[[bytes], None],
        on_errors: Callable[[bytes], None],
        on_end: Callable[[int, bool], None],
    ):
        self._on_output, self._on_errors, self._on_end = on_output, on_errors, on_end
        self._process: Any = None

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, arguments: list[str], python: str | None = None) -> bool:
        """Run Slicer's Python with ``arguments``; False if it does not start within five seconds."""
        self.kill()
        environment = qt.QProcessEnvironment()
        for name, value in worker_environment().items():
            environment.insert(name, value)
        process = qt.QProcess()
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(qt.QProcess.SeparateChannels)
        process.connect("readyReadStandardOutput()", self._output)
        process.connect("readyReadStandardError()", self._errors)
        process.connect("finished(int,QProcess::ExitStatus)", self._finished)
        process.start(python or slicer_python(), arguments)
        self._process = process
        if process.waitForStarted(5000):
            return True
        self.kill()
        return False

    def write(self, data: bytes) -> None:
        if self._process is not None:
            self._process.write(data)

    def kill(self) -> None:
        """End it now; nothing is heard of it any more. Closing its stdin also ends what a launcher has started."""
        process, self._process = self._process, None
        if process is None:
            return
        self._disconnect(process)
        process.closeWriteChannel()
        process.kill()
        process.waitForFinished(_KILL_MS)
        process.deleteLater()  # later: this may be called by one of its own signals

    def _output(self) -> None:
        if self._process is not None:
            self._on_output(_bytes(self._process.readAllStandardOutput()))

    def _errors(self) -> None:
        if self._process is not None:
            self._on_errors(_bytes(self._process.readAllStandardError()))

    def _finished(self, code: int, status: Any) -> None:
        self._errors()
        self._output()
        process, self._process = self._process, None
        if process is not None:
            self._disconnect(process)
            process.deleteLater()
            self._on_end(code, status == qt.QProcess.CrashExit)

    def _disconnect(self, process: Any) -> None:
        process.disconnect("readyReadStandardOutput()", self._output)
        process.disconnect("readyReadStandardError()", self._errors)
        process.disconnect("finished(int,QProcess::ExitStatus)", self._finished)


def slicer_python() -> str:
    """The interpreter that child processes run: Slicer's own, without a launcher in between where that can be avoided.

    Slicer has set the environment that the interpreter needs; killing a launcher would leave the interpreter alive.
    """
    launcher = shutil.which("PythonSlicer")
    if launcher is None:
        return sys.executable
    real = Path(launcher).with_name("python-real" + Path(launcher).suffix)
    return str(real) if real.is_file() and os.access(real, os.X_OK) else launcher


def _bytes(array: Any) -> bytes:
    """A QByteArray's content; PythonQt has given it as bytes and, in some versions, as text."""
    data = array.data()
    return data.encode() if isinstance(data, str) else bytes(data)

"""The worker as an operating-system process: started, heard, killed; nothing of it is left behind.

``worker_client`` holds the conversation; this file only moves bytes and owns what must be cleaned up.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from .errors import TwoStageSegError
from .handover import private_folder, remove_private_folder
from .messages import Cancelled, Close, Command, Done, Error, Event
from .protocol import LineBuffer, ProtocolError, decode_event, encode
from .threads import keep_blas_to_one_thread

# glibc hands every big activation back to the kernel and faults it in again; keeping it saves a tenth to a third of
# the CPU time of fp32 inference. Read once, when a process starts, so it must be in the worker's environment.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(8 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


class WorkerProcess:
    """A running worker and its private folder.

    ``events`` receives every event, then None when the process has closed its output. ``finished_run`` is the number
    of the last run whose end has been heard, polled or not.
    """

    def __init__(self, python: str | os.PathLike[str], module: str):
        self.folder = private_folder()
        self.events: SimpleQueue[Event | None] = SimpleQueue()
        self.finished_run = 0
        self._stderr: deque[str] = deque(maxlen=20)
        self._owner = os.getpid()
        try:
            # -P: nothing in the user's current folder may shadow a module
            self._popen = subprocess.Popen(
                [os.fspath(python), "-P", "-m", module, "--folder", str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=worker_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            remove_private_folder(self.folder)
            raise TwoStageSegError("E_WORKER", f"The worker could not be started: {error.strerror}.") from None
        assert self._popen.stdout is not None and self._popen.stderr is not None
        self._threads = [
            threading.Thread(target=self._read_events, args=(self._popen.stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(self._popen.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def send(self, command: Command) -> None:
        """Send a command. If the worker is gone nothing happens here: ``events`` ends."""
        assert self._popen.stdin is not None
        data = encode(command)
        with contextlib.suppress(OSError, ValueError):
            while data:
                data = data[self._popen.stdin.write(data) :]

    def kill(self) -> None:
        self._popen.kill()

    def epitaph(self) -> str:
        """One line about a process that ended: how, and the last thing it said, without paths."""
        try:
            code = self._popen.wait(1.0)
        except subprocess.TimeoutExpired:  # it closed its output but lives on: useless either way
            self.kill()
            code = self._popen.wait()
        self._threads[1].join(0.5)
        how = f"killed by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
        hint = " The computer may be short of memory." if code == -9 else ""
        said = f" It said: {without_paths(self._stderr[-1])}" if self._stderr else ""
        return f"The worker process ended ({how}).{hint}{said} Start it again."

    def destroy(self, grace_s: float = 0.0) -> None:
        """End the process, politely for ``grace_s`` and then not, and delete the folder. Never raises."""
        if os.getpid() != self._owner:  # a forked copy of the program must not kill its parent's worker
            return
        if grace_s > 0:
            self.send(Close())
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        try:
            self._popen.wait(max(grace_s, 0.01))
        except subprocess.TimeoutExpired:
            self.kill()
            self._popen.wait()
        for thread, stream in zip(self._threads, (self._popen.stdout, self._popen.stderr), strict=True):
            thread.join(1.0)
            if stream is not None and not thread.is_alive():
                stream.close()
        remove_private_folder(self.folder)

    def _read_events(self, stream: IO[bytes]) -> None:
        lines = LineBuffer()
        while data := os.read(stream.fileno(), 65536):
            for line in lines.feed(data):
                if not line.startswith(b"{"):  # an interpreter or launcher that greets on stdout
                    self._stderr.append(line.decode("utf-8", "replace").strip())
                    continue
                try:
                    event = decode_event(line)
                except ProtocolError as error:
                    event = Error(error.code, str(error), "protocol")
                if isinstance(event, (Done, Cancelled, Error)) and event.run is not None:
                    self.finished_run = event.run
                self.events.put(event)
        self.events.put(None)

    def _read_stderr(self, stream: IO[bytes]) -> None:
        lines = LineBuffer()
        while data := os.read(stream.fileno(), 65536):
            for line in lines.feed(data):
                if text := line.decode("utf-8", "replace").strip():
                    self._stderr.append(text)


def worker_environment() -> dict[str, str]:
    """The environment of a worker: this package importable, user site-packages not, UTF-8, allocator and threads."""
    environment = dict(os.environ)
    package_parent = str(Path(__file__).resolve().parent.parent)
    search = [package_parent, *filter(None, [environment.get("PYTHONPATH")])]
    environment.update(PYTHONPATH=os.pathsep.join(search), PYTHONNOUSERSITE="1", PYTHONUTF8="1")
    keep_blas_to_one_thread(environment)
    if sys.platform == "linux":
        for name, value in ALLOCATOR.items():
            environment.setdefault(name, value)
    return environment


def without_paths(text: str) -> str:
    """A line fit to be shown, at most 200 characters: of a quoted path the file name stays; the line is cut before an
    unquoted one, whose end nobody can tell (folder names are often patients' names)."""
    text = re.sub(r"(['\"])[^'\"]*[\\/]([^'\"\\/]*)\1", r"\1\2\1", text)
    text = re.sub(r"^\S*[\\/]([^\s\\/:]+: )", r"\1", text)  # the program that speaks: "/usr/bin/python: No module ..."
    text = re.sub(r"[^\s'\"(]*[\\/].*", "…", text)
    return text if len(text) <= 200 else text[:199] + "…"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

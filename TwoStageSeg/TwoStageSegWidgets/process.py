"""The worker through QProcess: what ``TwoStageSegLib.session.Transport`` asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.handover import private_folder, remove_private_folder
from TwoStageSegLib.messages import Command, Error, Event
from TwoStageSegLib.protocol import LineBuffer, ProtocolError, decode_event, encode
from TwoStageSegLib.worker_process import without_paths

from .child import Child


class QProcessTransport:
    """Events arrive by Qt's own event loop, so ``poll`` has nothing to do."""

    def __init__(self, module: str = "TwoStageSegLib.worker"):
        self.on_event: Callable[[Event], None] = lambda event: None
        self.on_end: Callable[[str], None] = lambda message: None
        self._module = module
        self._child = Child(self._output, self._errors, self._ended)
        self._folder: Path | None = None
        self._lines, self._error_lines = LineBuffer(), LineBuffer()
        self._said: deque[str] = deque(maxlen=20)

    def start(self) -> None:
        self.kill()
        self._lines, self._error_lines = LineBuffer(), LineBuffer()
        self._said.clear()
        self._folder = private_folder()
        # -P: nothing in the current folder may shadow a module
        if not self._child.start(["-P", "-m", self._module, "--folder", str(self._folder)]):
            self._remove_folder()
            raise TwoStageSegError("E_WORKER", "Slicer's Python could not be started for the computation.")

    def send(self, command: Command) -> None:
        self._child.write(encode(command))

    def poll(self) -> None:
        """Qt delivers."""

    def kill(self) -> None:
        self._child.kill()
        self._remove_folder()

    @property
    def is_running(self) -> bool:
        return self._child.running

    @property
    def folder(self) -> Path:
        assert self._folder is not None, "the worker is not running"
        return self._folder

    def _output(self, data: bytes) -> None:
        lines = self._lines
        for line in lines.feed(data):
            if lines is not self._lines or not self._folder:
                return  # an event has ended this process, and maybe begun another
            if not line.startswith(b"{"):  # an interpreter or launcher that greets on stdout
                self._said.append(line.decode("utf-8", "replace").strip())
                continue
            try:
                event = decode_event(line)
            except ProtocolError as error:
                event = Error(error.code, str(error), "protocol")
            self.on_event(event)

    def _errors(self, data: bytes) -> None:
        for line in self._error_lines.feed(data):
            if text := line.decode("utf-8", "replace").strip():
                self._said.append(text)

    def _ended(self, code: int, crashed: bool) -> None:
        self._remove_folder()
        how = "it crashed or was killed" if crashed else f"exit code {code}"
        hint = " The computer may be short of memory." if crashed else ""
        said = f" It said: {without_paths(self._said[-1])}" if self._said else ""
        self.on_end(f"The worker process ended ({how}).{hint}{said} Start it again.")

    def _remove_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            remove_private_folder(folder)

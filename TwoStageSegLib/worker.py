"""The child process that runs the pipeline: ``python -m TwoStageSegLib.worker --folder PRIVATE``.

It reads commands from stdin and writes events to stdout, one JSON object per line (``protocol``). It keeps the model
and the last volume's located regions warm, has no children of its own, and ends when its parent does: stdin closes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from . import __version__
from .errors import Cancelled as RunCancelled
from .errors import TwoStageSegError, UsageError
from .handover import put_organ, remove_private_folder, take_review, take_volume
from .messages import (
    Cancel,
    Cancelled,
    Close,
    Command,
    Done,
    Error,
    Event,
    Heartbeat,
    Hello,
    Load,
    ModelReady,
    Notice,
    Open,
    Progress,
    Review,
    Reviewed,
    Run,
    VolumeReady,
)
from .model import load_model
from .pipeline import OrganResult, Pipeline, Result
from .protocol import VERSION, LineBuffer, ProtocolError, decode_command, encode
from .region import Region
from .rehearsal import rehearse
from .volume import Volume

HEARTBEAT_S = 1.0


class Worker:
    """One model, one volume, one run at a time.

    Parameters
    ----------
    stdin, stdout : file descriptors of the protocol. folder : the client's private folder.
    """

    def __init__(self, stdin: int, stdout: int, folder: Path):
        self._stdin, self._stdout, self._folder = stdin, stdout, folder
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._writing = threading.Lock()
        self._leaving = threading.Lock()
        self._cancelled: set[int] = set()
        self._pipeline: Pipeline | None = None
        self._volume: Volume | None = None
        self._notices_sent = 0

    def serve(self) -> None:
        """Answer commands until told to close. The two helper threads end with the process."""
        self.send(Hello(VERSION, __version__, os.getpid()))
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        while not isinstance(command := self._commands.get(), Close):
            self._answer(command)
            if isinstance(command, Load):
                self._rehearse()

    def send(self, event: Event) -> None:
        """Write one event; a client that is gone ends the worker."""
        data = encode(event)
        with self._writing:
            try:
                while data:
                    data = data[os.write(self._stdout, data) :]
            except OSError:
                self._abandon()

    def _answer(self, command: Command) -> None:
        about, run = type(command).__name__.lower(), command.run if isinstance(command, Run) else None
        try:
            if isinstance(command, Load):
                self._load(command)
            elif isinstance(command, Open):
                self._open(command)
            elif isinstance(command, Run):
                self._run(command)
            elif isinstance(command, Review):
                self._review(command)
        except RunCancelled:
            self.send(Cancelled(run if run is not None else 0))
        except TwoStageSegError as error:
            self.send(Error(error.code, str(error), about, run))
        except Exception as error:  # whatever happens, the person at the screen hears of it and the worker lives on
            traceback.print_exc()
            self.send(Error(*_explain(error), about, run))

    def _load(self, command: Load) -> None:
        self._pipeline = None  # let the old model's memory go first
        model = load_model(command.model)
        pipeline = Pipeline(model, command.device)
        pipeline.system.self_test()
        self._pipeline, self._notices_sent = pipeline, 0
        m = model.manifest
        self.send(ModelReady(m.name, m.version, model.sha256, list(m.organ_names), pipeline.device.text))

    def _rehearse(self) -> None:
        """Prepare the first run as long as nobody asks for anything."""
        if self._pipeline is None or not self._commands.empty():
            return
        try:
            rehearse(self._pipeline, cancelled=lambda: not self._commands.empty())
        except Exception:  # nobody has asked for it: the first run will say what is wrong
            traceback.print_exc()

    def _open(self, command: Open) -> None:
        self._volume = None
        self._volume = take_volume(self._folder, command)
        self.send(VolumeReady(command.voxels))

    def _run(self, command: Run) -> None:
        if self._pipeline is None or self._volume is None:
            raise UsageError("E_ORDER", "A model must be loaded and a volume opened before a run.")
        try:
            regions = {r.organ: r for r in map(Region.from_json, command.regions)}
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ProtocolError(f"A region is not understood: {type(error).__name__}.") from None

        def progress(stage: str, organ: str, fraction: float) -> None:
            self._send_notices()
            self.send(Progress(command.run, stage, organ, fraction))

        def cancelled() -> bool:
            return command.run in self._cancelled

        if command.locate_only:
            result = self._locate(command, self._pipeline, self._volume, cancelled)
        else:
            result = self._pipeline.run(self._volume, command.organs, regions, progress, cancelled)
        self._send_notices()
        self._send_result(command.run, result)

    def _review(self, command: Review) -> None:
        if self._pipeline is None or self._volume is None:
            raise UsageError("E_ORDER", "A model must be loaded and a volume opened before a review.")
        try:
            mask, region = take_review(self._folder, command, self._volume.geometry)
        except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
            raise ProtocolError(f"An edited mask is not understood: {type(error).__name__}.") from None
        found = self._pipeline.review(self._volume, mask, region)
        self.send(Reviewed(command.review, command.organ, None if found is None else found.as_json()))

    def _locate(self, command: Run, pipeline: Pipeline, volume: Volume, cancelled: Callable[[], bool]) -> Result:
        self.send(Progress(command.run, "locate", "", 0.0))
        found = {} if cancelled() else pipeline.locate(volume, command.organs)
        if cancelled():
            raise RunCancelled
        return Result(tuple(OrganResult(n, r, None) for n, r in found.items()), pipeline.device.text, {})

    def _send_result(self, run: int, result: Result) -> None:
        for number, organ in enumerate(result.organs):
            with self._leaving:  # the folder must not be written again once it is being removed
                event = put_organ(self._folder, run, number, organ)
            self.send(event)
        self.send(Done(run, result.device, result.seconds, list(result.notices)))

    def _send_notices(self) -> None:
        notices = self._pipeline.device.notices if self._pipeline is not None else []
        for text in notices[self._notices_sent :]:
            self.send(Notice(text))
        self._notices_sent = len(notices)

    def _listen(self) -> None:
        """Reader thread: ``Cancel`` takes effect at once, everything else waits its turn."""
        lines = LineBuffer()
        while data := os.read(self._stdin, 65536):
            for line in lines.feed(data):
                try:
                    command = decode_command(line)
                except ProtocolError as error:
                    self.send(Error(error.code, str(error), "protocol"))
                    continue
                if isinstance(command, Cancel):
                    self._cancelled.add(command.run)
                else:
                    self._commands.put(command)
        self._abandon()

    def _beat(self) -> None:
        """Heartbeat thread; it also notices an orphaned worker whose stdin a sibling process keeps open."""
        parent, wait = os.getppid(), threading.Event()
        while not wait.wait(HEARTBEAT_S):
            if os.getppid() != parent:
                self._abandon()
            self.send(Heartbeat())

    def _abandon(self) -> None:
        """The client is gone: leave nothing behind and end at once, even in the middle of a forward pass."""
        self._leaving.acquire()  # for good
        remove_private_folder(self._folder)
        os._exit(0)


def _explain(error: Exception) -> tuple[str, str]:
    """Code and one line for an error nobody expected; the details are on stderr."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "E_MEMORY", "Not enough memory. Close other programs, or choose fewer organs or the CPU."
    return "E_UNEXPECTED", f"Unexpected {type(error).__name__}. Nothing was changed; please report this."


def main() -> int:
    """Keep stdout for the protocol: whatever prints, also from C++, goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m TwoStageSegLib.worker")
    parser.add_argument("--folder", type=Path, required=True, help="the client's private folder")
    folder = parser.parse_args().folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both; the parent decides
    protocol_out = os.dup(1)
    os.dup2(2, 1)
    Worker(0, protocol_out, folder).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

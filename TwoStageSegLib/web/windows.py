"""One browser window as the front sees it: a process, a private folder, a connection on either side."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from ..handover import private_folder, remove_private_folder
from ..worker_process import without_paths, worker_environment
from .assets import table
from .control import ADDRESS, OpenFile, Ready, line_of, message_of
from .relay import Relay

END_S = 3.0


@dataclass(frozen=True)
class Plan:
    """What every window begins with. ``worker``: module of the worker (tests use another)."""

    ct: Path | None = None
    model: str = ""
    device: str = "auto"
    worker: str = "TwoStageSegLib.worker"


class Window:
    """A window process from its start to its end; nothing of it is left behind.

    ``name`` is in the page's address, ``secret`` in that at which the process calls; both cannot be guessed.
    """

    def __init__(self, plan: Plan):
        self.name, self.secret = secrets.token_urlsafe(18), secrets.token_urlsafe(24)
        self.folder = private_folder()
        self.inbox, self.out = self.folder / "in", self.folder / "out"
        self.inbox.mkdir(mode=0o700)
        self.relay = Relay()
        self.assets: dict[str, Path] = {}
        self.uploads = 0
        self._plan = plan
        self._said: deque[str] = deque(maxlen=20)
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.ended = asyncio.Event()

    async def start(self, inner_port: int) -> None:
        """Start the process; it calls back at ``inner_port`` of this computer."""
        plan = self._plan
        environment = worker_environment() | {
            ADDRESS: f"ws://127.0.0.1:{inner_port}/{self.secret}",  # not an argument: those are seen by everybody
            "TMPDIR": str(self.folder),  # the worker's folder goes with ours, whatever happens
        }
        command = [sys.executable, "-P", "-m", "TwoStageSegLib.web.window_process", "--folder", str(self.folder)]
        command += ["--model", plan.model, "--device", plan.device, "--worker", plan.worker]
        command += [] if plan.ct is None else ["--ct", str(plan.ct)]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, limit=1 << 20
        )
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._collect())]

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def ready(self) -> bool:
        """True once the page can be shown: its files are known, and what it says first will be heard."""
        return bool(self.assets) and self.relay.called

    @property
    def epitaph(self) -> str:
        """One line about a process that has ended by itself."""
        said = f" It said: {without_paths(self._said[-1])}" if self._said else ""
        hint = " Maybe the computer is short of memory." if self._process and self._process.returncode == -9 else ""
        return f"This window's process has ended.{hint}{said} What was in it is deleted."

    def open_file(self, file: Path, label: str) -> None:
        """Have a received file read."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line_of(OpenFile(file.relative_to(self.inbox).as_posix(), label)))

    async def end(self) -> None:
        """End the process, politely and then not, and delete its folder."""
        process = self._process
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), END_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.relay.close()
        await asyncio.get_running_loop().run_in_executor(None, remove_private_folder, self.folder)
        self.ended.set()

    async def _hear(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = message_of(line)
            if isinstance(message, Ready):
                self.assets = table(message.serve)
        await self._process.wait()
        self.ended.set()

    async def _collect(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        while line := await self._process.stderr.readline():
            text = line.decode("utf-8", "replace").strip()
            if text:
                self._said.append(text)
                if os.environ.get("TWOSTAGESEG_DEBUG") == "1":
                    sys.stderr.write(f"[window] {text}\n")

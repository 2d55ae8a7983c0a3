"""The process of one browser window: ``python -m TwoStageSegLib.web.window_process --folder F [--ct FILE] ...``.

It opens no port: it calls the front, at an address with a secret that stands in its environment, and the front passes
the browser's messages on. It ends when its input ends, whatever happened to the front.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .control import ADDRESS, OpenFile, Ready, line_of, message_of

WORKER = "TwoStageSegLib.worker"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one window; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--model", default="")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--worker", default=WORKER)
    options = parser.parse_args(arguments)
    said = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries print; what the front reads is ours alone
    asyncio.run(_serve(options, said))
    return 0


async def _serve(options: argparse.Namespace, said: Any) -> None:
    from trame.app import get_server

    from .desktop import Desktop, Wishes
    from .frames import slice_frame, surface_frame
    from .page import build_page
    from .viewer import Viewer

    os.environ["TRAME_ARGS"] = f"--server --reverse-url={os.environ.pop(ADDRESS)}"
    server = get_server("twostageseg", client_type="vue3")
    viewer = Viewer(server, slice_frame, surface_frame)
    desktop = Desktop(server.state, viewer, options.folder, Wishes(options.model, options.device), options.worker)
    assets = build_page(server, viewer.layout, desktop)
    if options.ct is not None:
        open_scan(desktop, options.ct, options.ct.name)
    tasks = [asyncio.create_task(desktop.ticking()), asyncio.create_task(_listen(desktop, options.folder / "in"))]
    link = asyncio.create_task(
        server.start(exec_mode="coroutine", open_browser=False, show_connection_info=False, disable_logging=True)
    )
    said.write(line_of(Ready(assets)))
    await asyncio.wait([link, *tasks], return_when=asyncio.FIRST_COMPLETED)
    desktop.close()
    sys.stderr.flush()
    os._exit(0)  # VTK's own threads and the link would be waited for; what had to be closed is closed


def open_scan(desktop: Any, path: Path, label: str) -> None:
    """Read a file or DICOM folder of this computer."""
    from ..io import read_volume

    desktop.load(partial(read_volume, path), label, "reading the image")


async def _listen(desktop: Any, inbox: Path) -> None:
    """Take what the front says until it says no more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        message = message_of(line)
        if isinstance(message, OpenFile):
            _open_upload(desktop, inbox / message.file, message.label)


def _open_upload(desktop: Any, file: Path, label: str) -> None:
    """A scan, or a segmentation of the scan that is on the desk."""
    from .unpack import SEGMENTATION, read_upload

    if file.name.endswith(SEGMENTATION):
        desktop.load_segmentation(file, label)
    else:
        desktop.load(partial(read_upload, file), label, "reading the image")


if __name__ == "__main__":
    sys.exit(main())

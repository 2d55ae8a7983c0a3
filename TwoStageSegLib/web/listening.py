"""The front's two addresses: one for browsers, one on this computer alone for the window processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import web

from .front import Front


async def serve(front: Front, host: str, port: int, listening: Callable[[int], None]) -> None:
    """Listen until cancelled; ``listening`` is called with the port once a browser can connect."""
    runners = [web.AppRunner(front.app, access_log=None), web.AppRunner(front.inner, access_log=None)]
    for runner in runners:
        await runner.setup()
    watch: asyncio.Task[None] | None = None
    try:
        await web.TCPSite(runners[0], host, port).start()
        await web.TCPSite(runners[1], "127.0.0.1", 0).start()
        await front.begin(runners[1].addresses[0][1])
        listening(runners[0].addresses[0][1])
        watch = asyncio.create_task(front.watch())
        await asyncio.Event().wait()
    finally:
        if watch is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
        await front.end()
        for runner in runners:
            await runner.cleanup()

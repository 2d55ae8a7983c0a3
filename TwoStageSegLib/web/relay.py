"""Passes messages between a browser and its window process. Either may come and go; the last browser counts."""

from __future__ import annotations

import contextlib
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

MAX_FROM_PAGE, MAX_FROM_PROCESS = 4 << 20, 16 << 20


class Relay:
    """Two web sockets; what arrives while the other side is not there is dropped (the page asks again for all)."""

    def __init__(self) -> None:
        self._page: web.WebSocketResponse | None = None
        self._process: web.WebSocketResponse | None = None

    @property
    def connected(self) -> bool:
        """True while a browser shows this window."""
        return self._page is not None

    @property
    def called(self) -> bool:
        """True once the window process is connected."""
        return self._process is not None and self._process.prepared

    async def page(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a browser until it goes; one that was there before is sent away."""
        socket = web.WebSocketResponse(max_msg_size=MAX_FROM_PAGE, heartbeat=20)
        await socket.prepare(request)
        before, self._page = self._page, socket
        if before is not None:
            await before.close(code=WSCloseCode.GOING_AWAY, message=b"opened elsewhere")
        try:
            async for message in socket:
                await _pass(message, self._process)
        finally:
            if self._page is socket:
                self._page = None
        return socket

    async def process(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the window process until it ends; there is only one."""
        if self._process is not None:
            raise web.HTTPConflict(text="taken")
        socket = self._process = web.WebSocketResponse(max_msg_size=MAX_FROM_PROCESS, compress=False)
        await socket.prepare(request)
        async for message in socket:
            await _pass(message, self._page)
        return socket

    async def close(self) -> None:
        for socket in (self._page, self._process):
            if socket is not None:
                await socket.close(code=WSCloseCode.GOING_AWAY)


async def _pass(message: Any, to: web.WebSocketResponse | None) -> None:
    if to is None or to.closed or not to.prepared:
        return
    with contextlib.suppress(ConnectionError, RuntimeError):  # it went while we wrote
        if message.type is WSMsgType.BINARY:
            await to.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await to.send_str(message.data)

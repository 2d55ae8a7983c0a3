"""What browsers talk to: opens windows, serves the page's files, takes uploads, gives downloads, ends windows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from ..errors import InputRefused
from .assets import TYPES
from .control import label_of
from .guard import COOKIE, HEADERS, Guard, same_text
from .page import STATIC
from .receive import receive
from .unpack import kind_of
from .windows import Plan, Window

DOWNLOAD = re.compile(r"\d{1,6}-(segmentation\.seg\.nrrd|report\.html)")
RELOAD_S = 4.0  # how long a page that said goodbye may take to come back: a reload
FIRST_S = 60.0  # how long a window waits for its page to connect the first time
_WATCH_S = 0.5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Rules:
    """``max_upload_bytes`` of one file; ``max_windows`` at a time; ``keep_s``: how long the work in a window is kept
    after its connection has broken."""

    max_upload_bytes: int = 2 << 30
    max_windows: int = 8
    keep_s: float = 60.0


@dataclass
class Place:
    """A window and since when nobody has looked at it."""

    window: Window
    seen: bool = False
    said_goodbye: bool = False
    alone_since_s: float = field(default=0.0)


class Front:
    """The application that browsers reach, and the inner one that window processes call."""

    def __init__(self, plan: Plan, guard: Guard, rules: Rules):
        self._plan, self._guard, self._rules = plan, guard, rules
        self._places: dict[str, Place] = {}
        self._spare: Window | None = None
        self._inner_port = 0
        self.app = web.Application(middlewares=[self._middleware], client_max_size=1 << 16)
        add = self.app.router
        add.add_get("/", self._new_window)
        add.add_post("/", self._token)
        add.add_get("/w/{window}/", self._page)
        add.add_get("/w/{window}/ws", self._socket)
        add.add_get("/w/{window}/alive", self._alive)
        add.add_post("/w/{window}/upload", self._upload)
        add.add_post("/w/{window}/bye", self._bye)
        add.add_get("/w/{window}/download/{file}", self._download)
        add.add_get("/w/{window}/{asset:.+}", self._asset)
        self.inner = web.Application()
        self.inner.router.add_get("/{secret}", self._called)

    async def begin(self, inner_port: int) -> None:
        """Windows can be opened from now on; the first is started already, while the browser starts."""
        self._inner_port = inner_port
        self._spare = Window(self._plan)
        await self._spare.start(inner_port)

    async def watch(self) -> None:
        """End windows that nobody looks at any more, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_S)
            now = asyncio.get_running_loop().time()
            for name, place in list(self._places.items()):
                if place.window.relay.connected:
                    place.seen, place.said_goodbye, place.alone_since_s = True, False, now
                    continue
                patience = self._rules.keep_s if place.seen else FIRST_S
                if place.said_goodbye:
                    patience = min(RELOAD_S, self._rules.keep_s)
                if now - place.alone_since_s > patience:
                    self._places.pop(name, None)
                    await place.window.end()

    async def end(self) -> None:
        """End every window."""
        windows = [p.window for p in self._places.values()] + ([self._spare] if self._spare else [])
        self._places.clear()
        await asyncio.gather(*(w.end() for w in windows))

    # what is asked of every request

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._guard.refusal(request.headers, request.method)
        if refusal:
            return _text(403, refusal)
        if not self._guard.knows(request.cookies.get(COOKIE)):
            return await self._without_token(request)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.text)
            if "Location" in error.headers:
                response.headers["Location"] = error.headers["Location"]
        except InputRefused as error:
            response = _text(400, str(error))
        if not response.prepared:
            response.headers.update(HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _without_token(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/" and request.method == "POST":
            return await self._token(request)
        if request.path == "/" and self._guard.accepts(request.query.get("token", "")):
            return self._welcome()
        if request.path == "/":
            return _page(401, "token.html")
        return _text(401, "A token is needed. Open the address that twostageseg has printed.")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        given = await request.post()
        if self._guard.accepts(str(given.get("token", ""))):
            return self._welcome()
        await asyncio.sleep(0.5)
        return _page(401, "token.html")

    def _welcome(self) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/", **HEADERS})
        response.set_cookie(COOKIE, self._guard.token, httponly=True, samesite="Strict", path="/")
        return response

    # a window's life

    async def _new_window(self, request: web.Request) -> web.StreamResponse:
        if "purpose" in request.headers.get("Sec-Purpose", ""):
            return _text(403, "Not in advance.")
        if len(self._places) >= self._rules.max_windows:
            return _text(503, f"{len(self._places)} windows are open, which is the most allowed. Close one of them.")
        window, self._spare = self._spare, None
        if window is None or window.ended.is_set():
            window = Window(self._plan)
            await window.start(self._inner_port)
        now = asyncio.get_running_loop().time()
        self._places[window.name] = Place(window, alone_since_s=now)
        raise web.HTTPSeeOther(f"/w/{window.name}/")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        place = self._places.get(request.match_info["window"])
        if place is None:
            return _page(410, "ended.html")
        if place.window.ended.is_set():
            return _text(500, place.window.epitaph)
        if not place.window.ready:
            return _page(200, "starting.html")
        return _file(place.window.assets["index.html"])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        return await self._place(request).window.relay.page(request)

    async def _called(self, request: web.Request) -> web.StreamResponse:
        windows = [p.window for p in self._places.values()] + ([self._spare] if self._spare else [])
        window = next((w for w in windows if same_text(request.match_info["secret"], w.secret)), None)
        if window is None:
            raise web.HTTPNotFound()
        return await window.relay.process(request)

    async def _alive(self, request: web.Request) -> web.StreamResponse:
        """Asked by the page now and then: 204, or why there is nothing to talk to any more."""
        window = self._place(request).window
        return _text(500, window.epitaph) if window.ended.is_set() else web.Response(status=204)

    async def _bye(self, request: web.Request) -> web.StreamResponse:
        self._place(request).said_goodbye = True
        return web.Response(status=204)

    # files

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        file = self._place(request).window.assets.get(request.match_info["asset"])
        if file is None:
            raise web.HTTPNotFound(text="There is no such file.")
        return _file(file, cache=True)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        window = self._place(request).window
        name = request.query.get("name", "")
        window.uploads += 1
        target = window.inbox / str(window.uploads) / f"upload{kind_of(name)}"
        await receive(request.content, request.content_length, target, self._rules.max_upload_bytes)
        window.open_file(target, label_of(name))
        return web.Response(status=202)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        window, name = self._place(request).window, request.match_info["file"]
        file = window.out / name
        if not DOWNLOAD.fullmatch(name) or not file.is_file():
            raise web.HTTPNotFound(text="There is no such file.")
        shown = name.partition("-")[2]
        return web.FileResponse(file, headers={"Content-Disposition": f'attachment; filename="{shown}"'})

    def _place(self, request: web.Request) -> Place:
        place = self._places.get(request.match_info["window"])
        if place is None:
            raise web.HTTPGone(text="This window has ended. Open a new one.")
        return place


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, headers={**HEADERS, "Cache-Control": "no-store"})


def _page(status: int, name: str) -> web.Response:
    text = (STATIC / name).read_text(encoding="utf-8")
    headers = {**HEADERS, "Cache-Control": "no-store"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _file(file: Path, cache: bool = False) -> web.FileResponse:
    kind = TYPES[file.suffix]
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return web.FileResponse(
        file, headers={"Content-Type": kind, "Cache-Control": "private, max-age=3600" if cache else "no-store"}
    )

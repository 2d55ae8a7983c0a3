"""What the front answers, asked over HTTP; window processes are replaced by nothing, so that this takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the browser page is not installed")

from aiohttp.test_utils import TestClient, TestServer

from TwoStageSegLib.web import front as front_module
from TwoStageSegLib.web.front import Front, Rules
from TwoStageSegLib.web.guard import Guard
from TwoStageSegLib.web.windows import Plan, Window

TOKEN = "a-token-of-sufficient-length"
LIMIT = 1000


@pytest.fixture(autouse=True)
def still(monkeypatch, tmp_path):
    """Windows without a process, whose page has two files."""

    async def start(window: Window, inner_port: int) -> None:
        page = tmp_path / "page"
        page.mkdir(exist_ok=True)
        (page / "index.html").write_text("<p>the page</p>")
        (page / "app.js").write_text("1")
        window.assets = {"index.html": page / "index.html", "x/app.js": page / "app.js"}
        window.opened = []  # type: ignore[attr-defined]

    monkeypatch.setattr(Window, "start", start)
    monkeypatch.setattr(Window, "ready", property(lambda window: True))
    monkeypatch.setattr(Window, "open_file", lambda window, file, label: window.opened.append((file, label)))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))


def ask(talk: Callable[[TestClient, Front], Awaitable[None]], token: str = "", **rules: float) -> None:
    """Run a conversation with a front; afterwards nothing of it is left."""

    async def session() -> None:
        front = Front(Plan(), Guard(token), Rules(max_upload_bytes=LIMIT, **rules))  # type: ignore[arg-type]
        await front.begin(1)
        async with TestClient(TestServer(front.app)) as client:
            await talk(client, front)
        await front.end()

    asyncio.run(session())


async def opened(client: TestClient) -> str:
    """The address of a new window."""
    answer = await client.get("/", allow_redirects=False)
    assert answer.status == 303
    return answer.headers["Location"]


def origin(client: TestClient) -> dict[str, str]:
    return {"Origin": str(client.make_url("/")).rstrip("/")}


def test_every_window_has_its_own_address_and_folder(tmp_path):
    async def talk(client, front):
        first, second = await opened(client), await opened(client)
        assert first != second and len(first) > 20
        assert len(list((tmp_path / "tmp").iterdir())) == 2
        assert (await (await client.get(first)).text()) == "<p>the page</p>"

    ask(talk)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_page_may_load_nothing_from_elsewhere():
    async def talk(client, front):
        answer = await client.get(await opened(client))
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    ask(talk)


PATHS = (
    "x", "x/", "x/../x/app.js", "../", "../../", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "//etc/passwd",
    "%2fetc%2fpasswd", "download/", "download/..", "download/1-x.nrrd", "download/..%2f..%2fin%2f1%2fupload.nrrd",
    "download/1-segmentation.seg.nrrd", "download/1-segmentation.seg.nrrd%00", "in/1/upload.nrrd", "index.html%00",
    "x//app.js", "X/APP.JS", "upload", "bye", "%", "x/app.js/", "..\\..\\in", "app.js",
)  # fmt: skip


async def raw(client: TestClient, target: str) -> tuple[int, str]:
    """Status and body of a request whose path is sent exactly as it is (clients tidy paths up)."""
    url = client.make_url("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {url.authority}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode("utf-8", "replace").partition("\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


def test_nothing_but_the_pages_files_can_be_read():
    async def talk(client, front):
        window = await opened(client)
        assert await raw(client, f"{window}x/app.js") == (200, "1")
        for path in (*(window + p for p in PATHS), "/etc/passwd", "//etc/passwd", "/../etc/passwd", "/w/", "/w", "/x"):
            status, body = await raw(client, path)
            assert status in (400, 404, 405, 410), (path, status)
            assert "root:" not in body and "Index of" not in body

    ask(talk)


def test_an_upload_lies_under_our_name_and_its_own_is_a_label():
    async def talk(client, front):
        window = await opened(client)
        url = f"{window}upload?name=../../DOE^JANE.nii.gz"
        answer = await client.post(url, data=b"voxels", headers=origin(client))
        assert answer.status == 202
        (place,) = front._places.values()
        ((file, label),) = place.window.opened
        assert file.relative_to(place.window.inbox) == Path("1/upload.nii.gz") and file.read_bytes() == b"voxels"
        assert label == "DOE JANE.nii.gz"

    ask(talk)


@pytest.mark.parametrize(
    "name, data, says",
    [
        ("a.nrrd", b"x" * (LIMIT + 1), "larger than"),
        ("a.nrrd", b"", "empty"),
        ("a.exe", b"x", "cannot be read"),
        ("", b"x", "cannot be read"),
    ],
)
def test_uploads_that_are_refused_say_why_and_leave_nothing(name, data, says):
    async def talk(client, front):
        window = await opened(client)
        answer = await client.post(f"{window}upload?name={name}", data=data, headers=origin(client))
        assert answer.status == 400 and says in await answer.text()
        (place,) = front._places.values()
        assert list(place.window.inbox.iterdir()) == [] and place.window.opened == []
        assert (await client.get(window)).status == 200

    ask(talk)


def test_another_site_can_neither_open_nor_send():
    async def talk(client, front):
        window = await opened(client)
        evil = {"Origin": "http://evil.example"}
        assert (await client.post(f"{window}upload?name=a.nrrd", data=b"x", headers=evil)).status == 403
        assert (await client.get("/", headers={"Host": "evil.example"}, allow_redirects=False)).status == 403
        assert (await client.get("/", headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False)).status == 403
        assert len(front._places) == 1

    ask(talk)


def test_without_the_token_there_is_nothing(monkeypatch):
    async def no_wait(seconds):
        return None

    async def talk(client, front):
        monkeypatch.setattr(front_module.asyncio, "sleep", no_wait)
        for path in ("/?token=wrong", "/?token=", "/", "/w/x/", "/w/x/ws", "/w/x/upload"):
            answer = await client.get(path, allow_redirects=False)
            assert answer.status == 401 and TOKEN not in await answer.text()
        wrong = await client.post("/", data={"token": TOKEN[:-1]}, headers=origin(client))
        assert wrong.status == 401 and front._places == {}
        right = await client.post("/", data={"token": TOKEN}, headers=origin(client), allow_redirects=False)
        assert right.status == 303 and "HttpOnly" in str(right.headers["Set-Cookie"])
        assert "SameSite=Strict" in str(right.headers["Set-Cookie"])
        assert (await opened(client)).startswith("/w/")

    ask(talk, TOKEN)


def test_the_token_in_the_address_is_taken_out_of_it():
    async def talk(client, front):
        answer = await client.get(f"/?token={TOKEN}", allow_redirects=False)
        assert answer.status == 303 and answer.headers["Location"] == "/"

    ask(talk, TOKEN)


def test_only_so_many_windows():
    async def talk(client, front):
        await opened(client)
        await opened(client)
        answer = await client.get("/", allow_redirects=False)
        assert answer.status == 503 and "Close one" in await answer.text()

    ask(talk, max_windows=2)


def test_a_window_that_nobody_looks_at_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(front_module, "_WATCH_S", 0.02)

    async def talk(client, front):
        window = await opened(client)
        (place,) = front._places.values()
        place.seen = True
        watch = asyncio.create_task(front.watch())
        for _ in range(100):
            await asyncio.sleep(0.02)
            if not front._places:
                break
        watch.cancel()
        answer = await client.get(window)
        assert answer.status == 410 and "deleted" in await answer.text()
        assert list((tmp_path / "tmp").iterdir()) == []

    ask(talk, keep_s=0.1)

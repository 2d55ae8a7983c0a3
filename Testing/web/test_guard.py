"""Who may ask, and what of a client's words is ever used."""

from __future__ import annotations

import asyncio
import zipfile

import pytest

pytest.importorskip("aiohttp", reason="the browser page is not installed")

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.web.assets import table
from TwoStageSegLib.web.control import OpenFile, Ready, label_of, line_of, message_of
from TwoStageSegLib.web.guard import Guard, is_loopback
from TwoStageSegLib.web.receive import receive
from TwoStageSegLib.web.unpack import kind_of, unpack

HERE = "127.0.0.1:8080"
TOKEN = "a-token-of-sufficient-length"


class Pieces:
    """A request's body."""

    def __init__(self, *pieces: bytes):
        self._pieces = pieces

    async def iter_chunked(self, size):
        for piece in self._pieces:
            yield piece


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.5.5.5", "LOCALHOST"])
def test_this_computer_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "evil.example", "127.0.0.1.evil.example", "::", ""])
def test_nothing_else_is(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "headers, method",
    [
        ({"Host": "evil.example:8080"}, "GET"),  # a name that was led to this address
        ({}, "GET"),
        ({"Host": HERE, "Sec-Fetch-Site": "cross-site"}, "GET"),  # a picture in another page would open windows
        ({"Host": HERE, "Origin": "http://evil.example"}, "POST"),
        ({"Host": HERE, "Origin": "null"}, "POST"),
        ({"Host": HERE, "Origin": "http://127.0.0.1:9999", "Upgrade": "websocket"}, "GET"),
        ({"Host": HERE}, "POST"),
        ({"Host": HERE, "Upgrade": "websocket"}, "GET"),
    ],
)
def test_requests_of_other_pages_are_refused(headers, method):
    assert Guard().refusal(headers, method) != ""


@pytest.mark.parametrize(
    "headers, method",
    [
        ({"Host": HERE}, "GET"),
        ({"Host": "localhost:8080", "Sec-Fetch-Site": "none"}, "GET"),
        ({"Host": HERE, "Origin": f"http://{HERE}", "Sec-Fetch-Site": "same-origin"}, "POST"),
        ({"Host": HERE, "Origin": f"http://{HERE}", "Upgrade": "websocket"}, "GET"),
    ],
)
def test_requests_of_our_page_are_not(headers, method):
    assert Guard().refusal(headers, method) == ""


def test_a_token_is_asked_for_and_compared_whole():
    guard = Guard(TOKEN)
    assert guard.refusal({"Host": "station.example:8080"}, "GET") == ""
    assert (
        not guard.knows(None) and not guard.knows("") and not guard.knows(TOKEN[:-1]) and not guard.knows(TOKEN + "x")
    )
    assert guard.knows(TOKEN) and guard.accepts(TOKEN) and not guard.accepts("") and not guard.accepts("ä")
    assert Guard().knows(None) and not Guard().accepts("")


@pytest.mark.parametrize(
    "name, label",
    [
        ("ct.nrrd", "ct.nrrd"),
        ("../../etc/passwd", "passwd"),
        ("C:\\patients\\DOE^JANE.nii.gz", "DOE JANE.nii.gz"),
        ("<img src=x>.zip", "img src x .zip"),
        ("/", "CT"),
        ("a" * 300, "a" * 60),
        ("x\x00y\ny", "x y y"),
    ],
)
def test_a_clients_file_name_is_only_a_label(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize(
    "name, kind",
    [
        ("a.NRRD", ".nrrd"),
        ("a.nii.gz", ".nii.gz"),
        ("../a.seg.nrrd", ".seg.nrrd"),
        ("x/y.zip", ".zip"),
        ("a.mha", ".mha"),
    ],
)
def test_only_the_ending_decides_the_kind(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize("name", ["a.exe", "nrrd", "a.nrrd/b", "a.mhd", "a.nhdr", "", ".zip.sh"])
def test_other_kinds_are_refused(name):  # a header with its voxels in another file could name any file
    with pytest.raises(InputRefused, match="cannot be read") as refused:
        kind_of(name)
    assert refused.value.code == "E_FORMAT"


def test_what_is_received_lies_under_our_name(tmp_path):
    target = tmp_path / "1" / "upload.nrrd"
    asyncio.run(receive(Pieces(b"abc", b"def"), 6, target, 6))
    assert target.read_bytes() == b"abcdef" and target.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "pieces, stated, code",
    [
        ((b"abc", b"defg"), 3, "E_TOO_LARGE"),
        ((b"abc",), 7, "E_TOO_LARGE"),
        ((), 0, "E_EMPTY"),
        ((b"1234567",), None, "E_TOO_LARGE"),
    ],
)
def test_too_much_and_nothing_are_refused_and_leave_nothing(tmp_path, pieces, stated, code):
    with pytest.raises(InputRefused) as refused:
        asyncio.run(receive(Pieces(*pieces), stated, tmp_path / "1" / "upload.nrrd", 6))
    assert refused.value.code == code
    assert list(tmp_path.iterdir()) == []


def zipped(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def test_the_names_in_a_zip_are_never_used(tmp_path):
    names = ["../../escaped.dcm", "/absolute.dcm", "a/b/../../../c.dcm", "..\\up.dcm", "same", "same2"]
    file = zipped(tmp_path / "a.zip", [(name, b"x") for name in names])
    unpack(file, tmp_path / "out", 100)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"{i:05d}.dcm" for i in range(6)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "out"]


def test_a_zip_that_grows_is_stopped_by_what_comes_out(tmp_path):
    file = zipped(tmp_path / "bomb.zip", [("a", b"\0" * 5_000_000), ("b", b"\0" * 5_000_000)])
    assert file.stat().st_size < 20_000
    with pytest.raises(InputRefused, match="too large"):
        unpack(file, tmp_path / "out", 6_000_000)
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 6_000_000


@pytest.mark.parametrize("damage", ["text", "cut", "encrypted", "empty"])
def test_a_damaged_zip_is_refused_in_words(tmp_path, damage):
    file = zipped(tmp_path / "a.zip", [] if damage == "empty" else [("a.dcm", bytes(range(256)) * 40)])
    data = bytearray(file.read_bytes())
    if damage == "text":
        data = bytearray(b"no zip at all")
    elif damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "encrypted":
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(data)
    with pytest.raises(InputRefused) as refused:
        unpack(file, tmp_path / "out", 1_000_000)
    assert refused.value.code == "E_ZIP" and "/" not in str(refused.value)


def test_only_files_of_the_page_are_in_the_table(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("index.html", "sub/a.js", "secret.py", "key.pem"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link.js").symlink_to("/etc/hostname")
    assert set(table({"": str(tmp_path), "x": str(tmp_path / "sub")})) == {"index.html", "sub/a.js", "x/a.js"}


@pytest.mark.parametrize("message", [OpenFile("1/upload.nrrd", "ct"), Ready({"": "/somewhere"})])
def test_messages_survive_the_pipe(message):
    assert message_of(line_of(message)) == message


@pytest.mark.parametrize(
    "line", [b"", b"hello\n", b"{}", b'{"kind": "Shell"}', b'{"kind": "OpenFile"}', b"[1]", b"\xff"]
)
def test_what_is_no_message_is_none(line):
    assert message_of(line) is None

"""What ``twostageseg web`` says before a browser opens."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from TwoStageSegLib.cli import main
from TwoStageSegLib.commands import web


def test_without_the_extra_it_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(web, "find_spec", lambda name: None if name == "trame_slicer" else object())
    assert main(["web", "--no-browser"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "pip install 'twostageseg[web]'" in said and "E_WEB" in said


def test_the_product_imports_without_trame():
    code = """
import sys
for name in ("trame", "trame_slicer", "trame_client", "aiohttp", "wslink", "slicer"):
    sys.modules[name] = None
import TwoStageSegLib.web, TwoStageSegLib.cli, TwoStageSegLib.commands.web, TwoStageSegLib.session
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def installed():
    pytest.importorskip("trame_slicer", reason="the browser page is not installed")


def test_a_scan_that_is_not_there_is_said_at_once(installed, capsys, tmp_path):
    assert main(["web", str(tmp_path / "none.nrrd"), "--no-browser"]) == 3
    assert "none.nrrd" in capsys.readouterr().err


def test_a_port_that_is_taken(installed, capsys, monkeypatch):
    from TwoStageSegLib.web.windows import Window

    async def nothing(window, port):
        return None

    monkeypatch.setattr(Window, "start", nothing)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["web", "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "--port" in capsys.readouterr().err


def test_a_short_token_is_refused(installed, capsys, monkeypatch):
    monkeypatch.setenv(web.TOKEN, "short")
    assert main(["web", "--no-browser", "--host", "0.0.0.0"]) == 2
    assert "at least 16" in capsys.readouterr().err


def test_any_other_address_gets_a_token(monkeypatch):
    monkeypatch.delenv(web.TOKEN, raising=False)
    assert web._token("127.0.0.1") == "" and web._token("localhost") == ""
    first, second = web._token("0.0.0.0"), web._token("192.0.2.1")
    assert len(first) >= 32 and first != second

"""``twostageseg web``: the viewer in a browser, until Ctrl+C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import webbrowser
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputRefused, TwoStageSegError, UsageError
from . import Outcome

NEEDED = ("trame_slicer", "slicer", "aiohttp")
TOKEN = "TWOSTAGESEG_TOKEN"
MEGABYTE = 1 << 20


def run(options: Namespace) -> Outcome:
    """Check what was asked for, then serve; Ctrl+C is the normal end."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TwoStageSegError(
            "E_WEB", "The browser page is not installed. Install it with: pip install 'twostageseg[web]'"
        )
    from ..web.front import Front, Rules
    from ..web.guard import Guard
    from ..web.listening import serve
    from ..web.windows import Plan

    ct = _scan(options.ct)
    token = _token(options.host)
    plan = Plan(ct, _model(options.model), options.device)
    rules = Rules(options.upload_mb * MEGABYTE, options.windows, options.keep)
    front = Front(plan, Guard(token), rules)

    def listening(port: int) -> None:
        address = f"http://{_shown(options.host)}:{port}/"
        sys.stderr.write(f"TwoStageSeg: {address}{f'?token={token}' if token else ''}   (Ctrl+C ends it)\n")
        if token:
            sys.stderr.write("The connection is not encrypted: use it in a trusted network or behind a TLS proxy.\n")
        sys.stderr.flush()
        if options.open:
            webbrowser.open(f"{address}{f'?token={token}' if token else ''}")

    async def until_stopped() -> None:
        serving = asyncio.create_task(serve(front, options.host, options.port, listening))
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
                asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    try:
        asyncio.run(until_stopped())
    except KeyboardInterrupt:
        pass
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise UsageError(
            "E_PORT", f"Cannot listen at {where}: {error.strerror or error}. Choose another with --port or --host."
        ) from None
    return Outcome("Stopped. Every window was closed and what was in it deleted.")


def _scan(ct: str | None) -> Path | None:
    """The scan on the command line; that it is there at all is said before a browser opens."""
    if ct is None:
        return None
    path = Path(ct).resolve()
    if not path.exists():
        raise InputRefused("E_READ", f"There is no file or folder {path.name!r} there. Check the path.")
    return path


def _model(name: str) -> str:
    """A model's name as the page lists it."""
    if not name:
        return ""
    from ..model import load_model

    return load_model(name).name


def _token(host: str) -> str:
    """A token if other computers can connect: from the environment, else a new one."""
    from ..web.guard import MIN_TOKEN, is_loopback

    given = os.environ.get(TOKEN, "")
    if given and len(given) < MIN_TOKEN:
        raise UsageError("E_TOKEN", f"{TOKEN} must have at least {MIN_TOKEN} characters.")
    if given or is_loopback(host):
        return given
    return secrets.token_urlsafe(24)


def _shown(host: str) -> str:
    """An address that a browser can open: a server that listens everywhere is reached under the computer's name."""
    if host in ("0.0.0.0", "::"):
        import socket

        return socket.gethostname()
    return f"[{host}]" if ":" in host else host

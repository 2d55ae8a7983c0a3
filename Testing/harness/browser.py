"""A real Chromium before a real ``twostageseg web``: what a person sees, points at and types."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from Testing.harness.interrupts import hear_interrupts

ROOT = Path(__file__).resolve().parents[2]
SIZE = (1400, 900)
WITHIN_MS = 60_000
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def chromium() -> str | None:
    """The browser that is installed, None without one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing() -> str:
    """What has to be installed before these tests can run, "" if nothing."""
    if chromium() is None:
        return "Chromium is not installed (apt-get install chromium)"
    for module in ("playwright", "trame_slicer", "slicer"):
        try:
            __import__(module)
        except ImportError:
            return f"{module} is not installed (pip install -e '.[web,test]')"
    return ""


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``twostageseg web`` as a person starts it; its address and process. Ends with Ctrl+C.

    Parameters
    ----------
    folder : home folder and place of its temporary files; ``folder/tmp`` must be empty again at the end.
    """
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "TwoStageSegLib.cli", "web", *arguments, "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found is not None, f"it said: {line}"
        yield found[0], process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser; its windows are made with ``new_page``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """Somebody before one browser window.

    ``errors``: what the page's scripts complained about. ``foreign``: requests to anywhere but this server.
    """

    def __init__(self, browser: Any, address: str, size: tuple[int, int] = SIZE):
        self.page = browser.new_page(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda r: r.url.startswith((address, "blob:", "data:")) or self.foreign.append(r.url))
        self.page.goto(address)
        self.page.wait_for_selector("#run", timeout=WITHIN_MS)

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Look again and again until it is so."""
        deadline = time.monotonic() + WITHIN_MS / 1000
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain {what}"
            self.page.wait_for_timeout(50)

    def has_scan(self) -> None:
        self.page.wait_for_selector("#run:not([disabled])", timeout=WITHIN_MS)

    def run(self) -> None:
        """Press the button and wait for the end."""
        self.page.click("#run")
        self.page.wait_for_selector("#run.cancel", timeout=WITHIN_MS)
        self.finish()

    def finish(self) -> None:
        self.page.wait_for_selector("#run:not(.cancel)", timeout=WITHIN_MS)

    def press(self, organ: str, act: str) -> None:
        """A button of an organ's row; then a moment, as a person needs it, in which the views follow."""
        self.page.click(f'[data-organ="{organ}"] [data-act="{act}"]')
        self.page.wait_for_selector(f'.organ.chosen[data-organ="{organ}"]', timeout=WITHIN_MS)
        self.settle()

    def row(self, organ: str) -> str:
        """The line under an organ's name."""
        return str(self.page.inner_text(f'.organ[data-organ="{organ}"] .status'))

    def rows(self) -> dict[str, str]:
        names = self.page.eval_on_selector_all(".organ", "all => all.map(e => e.dataset.organ)")
        return {name: self.row(name) for name in names}

    def frame(self, view: str = "Axial") -> dict[str, float]:
        """Where a view is on the screen."""
        box = self.page.locator(f'[data-view="{view}"]').bounding_box()
        assert box is not None
        return dict(box)

    def middle(self, view: str = "Axial") -> tuple[float, float]:
        """The point of a view that an organ is brought to."""
        box = self.frame(view)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def point(self, x: float, y: float) -> None:
        """Move the mouse there, as a hand does."""
        self.page.mouse.move(x - 6, y - 6)
        self.page.mouse.move(x, y, steps=3)
        self.settle(200)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.point(*start)
        self.page.mouse.down()
        self.settle(100)
        self.page.mouse.move(*end, steps=6)
        self.settle(200)
        self.page.mouse.up()

    def settle(self, quiet_ms: int = 350) -> None:
        """Until no view has sent a picture for a while."""
        self.page.evaluate(
            """quiet => new Promise(done => {
                let timer = setTimeout(done, quiet);
                const again = () => { clearTimeout(timer); timer = setTimeout(done, quiet); };
                document.querySelectorAll('img.image-display-area').forEach(i => i.addEventListener('load', again));
                setTimeout(done, 5000);
            })""",
            quiet_ms,
        )

    def picture(self, view: str = "Axial") -> np.ndarray:
        """What a view shows, uint8 ``(row, column, rgb)``."""
        box = self.frame(view)
        clip = {key: box[key] for key in ("x", "y", "width", "height")}
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("RGB"))

    def download(self, button: str, to: Path) -> Path:
        """Press ``#save`` or ``#report`` and keep the file."""
        with self.page.expect_download(timeout=WITHIN_MS) as waiting:
            self.page.click(button)
        waiting.value.save_as(to)
        return to

    def upload(self, file: Path) -> None:
        """Choose a file in the dialog that "Open…" opens."""
        with self.page.expect_file_chooser() as waiting:
            self.page.click("#open")
        waiting.value.set_files(file)

    def problem(self) -> str:
        """What stands at the file, "" if nothing."""
        texts = [self.page.locator(f"#{name}") for name in ("file-problem", "upload-problem")]
        return " ".join(t.inner_text() for t in texts if t.count() and t.is_visible())

    def log(self) -> str:
        return str(self.page.evaluate("document.getElementById('log').textContent"))

    def close(self) -> None:
        self.page.close()


def descendants(pid: int) -> list[int]:
    """All living processes below one."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in listed.splitlines())}
    found: list[int] = []
    todo = [pid]
    while todo:
        children = [child for child, parent in parents.items() if parent == todo[-1]]
        todo.pop()
        found += children
        todo += children
    return [p for p in found if Path(f"/proc/{p}/stat").exists() and " Z " not in Path(f"/proc/{p}/stat").read_text()]

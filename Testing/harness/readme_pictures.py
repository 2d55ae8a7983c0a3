"""Makes the pictures of README.md from a real run on the synthetic sample, in a real browser.

    python -m Testing.harness.readme_pictures

Needs Chromium (``chromium`` on the path). Writes ``Resources/screenshots/report.png``.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from TwoStageSegLib.model import load_model
from TwoStageSegLib.outputs.report import write_report
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.sample.phantom import generate

TARGET = Path(__file__).resolve().parents[2] / "Resources" / "screenshots"
SIZE = "1200,1650"


def main() -> int:
    """Run the sample, photograph the report."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is not installed; the pictures were not made.")
    model = load_model("phantom")
    phantom = generate(0)
    result = Pipeline(model, "cpu").run(phantom.volume)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        write_report(page, phantom.volume, result, model, list(phantom.masks.values()))
        photograph(browser, page, TARGET / "report.png")
    return 0


def photograph(browser: str, page: Path, picture: Path) -> None:
    """A screenshot of a page as a window of SIZE shows it."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *flags, f"--user-data-dir={profile}", f"--window-size={SIZE}", f"--screenshot={picture}"]
        subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    raise SystemExit(main())

"""Makes the pictures of the browser page for README.md, from a real run on the synthetic sample, in a real browser.

    python -m Testing.harness.web_pictures [FOLDER] [CT MODEL]

Writes ``web.png``, ``web-start.png``, ``web-edit.png`` (1400 x 900) and ``web-small.png``, ``web-small-review.png``
(1000 x 700) into ``Resources/screenshots`` unless another folder is named.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from . import browser as harness

TARGET = Path(__file__).resolve().parents[2] / "Resources" / "screenshots"
ORGAN = "Parotid_L"


def main(folder: str = "", ct: str = "", model: str = "phantom") -> int:
    """Work the page through start, results, review and editing; photograph each."""
    reason = harness.missing()
    if reason:
        raise SystemExit(f"{reason}; the pictures were not made.")
    target = Path(folder) if folder else TARGET
    with tempfile.TemporaryDirectory() as home:
        reference = ""
        if not ct:
            from TwoStageSegLib.sample.phantom import write_sample

            ct, reference = (str(path) for path in write_sample(Path(home), 0))
        with (
            harness.serving(Path(home), ct, "--model", model, "--keep", "1") as (address, _),
            harness.browsing() as browser,
        ):
            _work(harness.Person(browser, address), target, reference)
    return 0


def _work(person: harness.Person, target: Path, reference: str) -> None:
    page = person.page
    person.has_scan()
    person.settle(800)
    page.screenshot(path=target / "web-start.png")
    person.run()
    if reference:
        person.upload(Path(reference))
        page.wait_for_selector("#reference option:nth-child(2)", state="attached", timeout=harness.WITHIN_MS)
        page.select_option("#reference", index=1)
        page.wait_for_selector("#findings tbody tr", timeout=harness.WITHIN_MS)
    person.press(ORGAN, "go")
    if page.locator("#next").count() and page.is_enabled("#next"):
        page.select_option("#review-organ", ORGAN)
        page.click("#next")
    zoom(person)
    page.mouse.move(5, 5)
    person.settle(1200)
    top(person)
    page.screenshot(path=target / "web.png")
    page.set_viewport_size({"width": 1000, "height": 700})
    person.settle(1500)
    top(person)
    page.screenshot(path=target / "web-small.png")
    page.locator("#save").scroll_into_view_if_needed()
    page.screenshot(path=target / "web-small-review.png")
    page.set_viewport_size({"width": harness.SIZE[0], "height": harness.SIZE[1]})
    person.settle(800)
    page.locator("#save").scroll_into_view_if_needed()
    page.click("#paint")
    page.wait_for_selector("#paint[aria-pressed=true]")
    x, y = person.middle()
    person.point(x - 30, y + 20)
    page.mouse.down()
    page.mouse.move(x - 8, y + 30, steps=6)
    person.settle(800)
    page.screenshot(path=target / "web-edit.png")
    page.mouse.up()
    assert person.errors == [] and person.foreign == []


def top(person: harness.Person) -> None:
    """The panel from its beginning."""
    person.page.evaluate("document.querySelector('.panel').scrollTop = 0")


def zoom(person: harness.Person) -> None:
    """Look closer in every slice view, as the right mouse button does."""
    for view in ("Axial", "Coronal", "Sagittal"):
        x, y = person.middle(view)
        person.page.mouse.move(x + 90, y - 40)
        person.page.mouse.down(button="right")
        person.page.mouse.move(x + 90, y + 60, steps=8)
        person.page.mouse.up(button="right")
        person.settle(300)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

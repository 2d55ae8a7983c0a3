"""Several browser windows at once: nobody sees another's patient, and nothing outlives its window."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from Testing.harness import browser as harness
from Testing.harness.workers import gone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
KEEP = ("--keep", "1", "--model", "phantom", "--upload-mb", "20")


def folders(home):
    return {path.name for path in (home / "tmp").iterdir()}


def test_two_windows_with_two_patients(chromium, sample, tmp_path):
    first_file = tmp_path / "DOE_JANE.nrrd"
    first_file.symlink_to(sample / "sample_ct.nrrd")
    damaged = tmp_path / "damaged.nrrd"
    damaged.write_bytes((sample / "sample_ct.nrrd").read_bytes()[:200_000])
    huge = tmp_path / "huge.nrrd"
    with huge.open("wb") as file:
        file.truncate(21 << 20)
    with harness.serving(tmp_path, *KEEP) as (address, front):
        first, second = harness.Person(chromium, address), harness.Person(chromium, address)
        assert first.page.url != second.page.url
        first.upload(first_file)
        first.has_scan()
        first.run()
        assert "ml" in first.row("Brainstem")

        # the other window knows nothing of it
        assert second.page.inner_text("#ct") == "none loaded" and set(second.rows().values()) == {"–"}
        assert "DOE" not in second.page.content() and not second.page.is_enabled("#run")
        for file, says in ((damaged, "upload.nrrd ends"), (huge, "larger than the 20 MB")):
            second.upload(file)
            second.until(lambda says=says: says in second.problem(), says)
        second.page.click("#sample")
        second.has_scan()
        assert "DOE" not in second.page.content()
        assert "Sample CT" not in first.page.content() and "ml" in first.row("Brainstem")

        # closing a page ends its process, its worker and its files, and nothing else
        before, places = set(harness.descendants(front.pid)), folders(tmp_path)
        assert len(places) == 2
        first.close()
        deadline = time.monotonic() + 20
        while len(folders(tmp_path)) > 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        left = set(harness.descendants(front.pid))
        assert len(folders(tmp_path)) == 1
        assert len(before - left) == 2, "a window process and its worker"
        second.run()
        assert "ml" in second.row("Brainstem")

        # a window process that dies is said on its page; the server lives on
        (window,) = [pid for pid in left if "window_process" in Path(f"/proc/{pid}/cmdline").read_text()]
        worker = harness.descendants(window)
        os.kill(window, signal.SIGKILL)
        second.page.wait_for_selector("#lost:not([hidden])", timeout=20_000)
        assert "ended" in second.page.inner_text("#lost-text")
        assert all(gone(pid) for pid in worker)
        second.close()
        third = harness.Person(chromium, address)
        assert third.page.inner_text("#ct") == "none loaded"
        third.close()
    assert folders(tmp_path) == set()


def test_a_reload_finds_its_work_again(chromium, sample, tmp_path):
    with harness.serving(tmp_path, str(sample / "sample_ct.nrrd"), *KEEP) as (address, _):
        person = harness.Person(chromium, address)
        person.has_scan()
        person.page.uncheck('.organ[data-organ="Larynx"] input')
        person.page.reload()
        person.has_scan()
        assert not person.page.is_checked('.organ[data-organ="Larynx"] input')
        assert person.page.inner_text("#ct-text").startswith("200 x 200 x 118")
        person.close()

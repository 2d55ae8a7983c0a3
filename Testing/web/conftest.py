"""What the tests of the browser page share; skipped, with what to install, where there is no browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.harness import browser as harness


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests; every test makes windows of its own."""
    reason = harness.missing()
    if reason:
        pytest.skip(reason)
    with harness.browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of ``twostageseg sample``."""
    from TwoStageSegLib.sample.phantom import write_sample

    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, 0)
    return folder

"""Fixtures for every test."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from TwoStageSegLib.threads import keep_blas_to_one_thread

keep_blas_to_one_thread()  # before numpy is imported

with contextlib.suppress(ImportError):
    # torch's CUDA build imports it late, with an LLVM of its own; once Mesa has loaded another one to draw a view,
    # that kills the process (the product never has both in one process: networks run in the worker)
    import triton  # noqa: F401

from TwoStageSegLib.resources import resource_path  # noqa: E402

from .harness.bundles import write_fake_bundle  # noqa: E402
from .harness.untrained import write_stand_in  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = [
    "Testing.harness.fixtures",
    "Testing.harness.workers",
    "Testing.harness.sessions",
    "Testing.harness.reviewing",
    "Testing.harness.qt_fixtures",
]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real labelled images: ``TWOSTAGESEG_DATA``, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("TWOSTAGESEG_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "openkbp").is_dir():
        pytest.skip("real images are not here; set TWOSTAGESEG_DATA to the folder that holds openkbp/")
    return folder


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of very small untrained networks: all of ``localise-crop`` runs, in milliseconds, on noise."""
    return write_stand_in(tmp_path_factory.mktemp("bundles") / "stand-in")


@pytest.fixture(scope="session")
def tiny_bundle(request: pytest.FixtureRequest) -> Path:
    """A bundle that runs in seconds: the shipped ``phantom``; where it is not made yet, its untrained stand-in."""
    folder = resource_path("models") / "phantom"
    return folder if (folder / "manifest.json").is_file() else request.getfixturevalue("stand_in")


@pytest.fixture
def fake_bundle(tmp_path: Path) -> Path:
    """A valid bundle whose weights nobody can run: for manifests, files and the fake system."""
    return write_fake_bundle(tmp_path / "fake")

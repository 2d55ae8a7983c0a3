"""The two ways in: the command line in this process, and one session whose worker sees one scan after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from Testing.harness.bundles import write_fake_bundle
from Testing.harness.fake_system import FakeSystem
from Testing.harness.sessions import finish
from Testing.harness.workers import FAKE, gone
from TwoStageSegLib import pipeline
from TwoStageSegLib.cli import main
from TwoStageSegLib.device import Device
from TwoStageSegLib.model import verify

if TYPE_CHECKING:
    from .in_scene import Seat

Call = Callable[..., int]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_bundle(tmp_path_factory.mktemp("bundle") / "fake")


@pytest.fixture
def fake_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake system on a fake device, in this process."""
    monkeypatch.setattr(pipeline, "create", FakeSystem)
    monkeypatch.setattr(pipeline, "choose_device", lambda wanted: Device("cpu", f"CPU: fake, {wanted}", half=False))


@pytest.fixture
def call() -> Call:
    """Exit code of one call of the command line, whether main returns it or argparse leaves with it."""

    def run(*arguments: object) -> int:
        try:
            return main([os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments])
        except SystemExit as leaving:
            return int(leaving.code or 0)

    return run


@pytest.fixture(scope="module")
def seat(slicer_core: Any, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    """A session on the real scene that stays, with a warm worker around the fake system."""
    from TwoStageSegLib.session import Installed, Session, SubprocessTransport

    from .in_scene import Seat

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("seat")
        (folder / "tmp").mkdir()
        patch.setattr("tempfile.tempdir", str(folder / "tmp"))
        patch.setenv("TWOSTAGESEG_MODELS", str(folder / "own"))
        slicer_core.clear()
        transport = SubprocessTransport(module=FAKE)
        session = Session(slicer_core.scene, transport, folder / "timings.json")
        session.choose_model(Installed(bundle, verify(bundle)))
        yield Seat(session, slicer_core)
        finish(session)
        pid = transport.pid
        session.close()
        slicer_core.clear()
        assert pid is None or gone(pid)
        assert list((folder / "tmp").iterdir()) == []

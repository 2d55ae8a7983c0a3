"""A session on the real scene, with a real worker process around the fake system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.model import verify
from TwoStageSegLib.volume import Volume

from .fake_system import fake_volume
from .workers import FAKE, gone

if TYPE_CHECKING:
    from TwoStageSegLib.session import Session


@pytest.fixture
def session(scene: Any, scratch: Path, fake_bundle: Path, tmp_path: Path, monkeypatch) -> Iterator[Session]:
    """Ready to run: a scan of three blocks, the fake model. Afterwards no process and no file may be left."""
    from TwoStageSegLib.scene import node_from_volume
    from TwoStageSegLib.session import Installed, Session, SubprocessTransport

    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    transport = SubprocessTransport(module=FAKE)
    made = Session(scene, transport, tmp_path / "timings.json")
    made.choose_model(Installed(fake_bundle, verify(fake_bundle)))
    made.choose_volume(node_from_volume(scene, fake_volume(), "CT"))
    yield made
    pid = transport.pid
    made.close()
    assert pid is None or gone(pid)


def pid_of(session: Session) -> int:
    """Process ID of the session's worker."""
    pid = session.link._transport.pid  # type: ignore[attr-defined]
    assert pid is not None
    return pid


def until(session: Session, condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Tick as a view's timer does until ``condition``."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain; log:\n{session.log.text}"
        session.tick()
        time.sleep(0.01)


def finish(session: Session) -> None:
    """Tick until nothing runs and nothing waits to be redone."""
    until(session, lambda: not session.busy)


def run(session: Session, *organs: str) -> None:
    """Run to the end; it must begin."""
    assert session.run(organs or None)
    finish(session)


def shifted(volume: Volume, by_lps: tuple[float, float, float]) -> Volume:
    """The same voxels elsewhere."""
    g = volume.geometry
    x, y, z = (a + b for a, b in zip(g.origin_lps, by_lps, strict=True))
    return Volume(volume.voxels, Geometry(g.shape_zyx, (x, y, z), g.spacing_xyz_mm, g.direction), volume.modality)

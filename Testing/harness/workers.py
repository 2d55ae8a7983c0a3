"""What tests of the worker share: a client around the fake system, and a watch over what it leaves behind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from TwoStageSegLib.handover import PREFIX
from TwoStageSegLib.messages import ModelReady, VolumeReady
from TwoStageSegLib.volume import Volume
from TwoStageSegLib.worker_client import WorkerClient

from .fake_system import ENTERED, fake_volume

FAKE = "Testing.harness.fake_worker"
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Private folders are made here, so that a left-over is seen; stages that the worker enters are logged here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv(ENTERED, str(tmp_path / "entered"))
    yield folder
    assert list(folder.glob(PREFIX + "*")) == []


@pytest.fixture
def client(scratch: Path) -> Iterator[WorkerClient]:
    with WorkerClient(grace_s=0.5, module=FAKE) as made:
        yield made
        pid = made.pid
    assert pid is None or gone(pid)


def gone(pid: int, within_s: float = 10.0) -> bool:
    """True once no process ``pid`` runs (a zombie that its new parent has not collected yet counts as gone)."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def ready(client: WorkerClient, bundle: Path, volume: Volume | None = None) -> None:
    """Start, load and open; returns when the worker waits for a run."""
    client.start()
    client.load(bundle)
    client.wait_for(ModelReady)
    client.open(volume or fake_volume())
    client.wait_for(VolumeReady)


def entered(tmp_path: Path) -> list[str]:
    """The stages that the fake system has entered so far."""
    log = tmp_path / "entered"
    return log.read_text().split() if log.exists() else []


def until_entered(tmp_path: Path, stage: str) -> None:
    """Wait until the worker is inside ``stage``."""
    deadline = time.monotonic() + 30
    while stage not in entered(tmp_path):
        assert time.monotonic() < deadline, f"{stage} was never entered"
        time.sleep(0.02)

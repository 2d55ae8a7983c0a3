"""Clocks that go backwards, jump, or were never set."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from Testing.harness.workers import ready
from TwoStageSegLib.errors import Cancelled as RunCancelled


def test_a_clock_that_goes_backwards_changes_nothing(client, bundle, monkeypatch):
    """The wall clock: every look at it is an hour earlier than the last."""
    now = [2_000_000_000.0]

    def earlier() -> float:
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr(time, "time", earlier)
    monkeypatch.setattr(time, "time_ns", lambda: int(earlier() * 1e9))
    started = time.monotonic()
    ready(client, bundle)
    client.run()
    result = client.wait(60)
    client.run()
    client.cancel()
    with pytest.raises(RunCancelled):
        client.wait(60)
        raise RunCancelled  # it was faster than the cancel
    assert len(result.located) == 3 and time.monotonic() - started < 60


def test_a_session_clock_that_jumps_does_no_harm(session):
    """Monotonic clocks jump after a sleep, some go back: no run is given up for that, no time is shown below zero."""
    from Testing.harness.sessions import run, until

    real, jumps = session.clock, iter(np.resize([0.0, 5000.0, -5000.0, 900.0, -900.0], 100_000))
    session.clock = session.link._clock = session.runs._clock = lambda: real() + float(next(jumps))
    for _ in range(3):
        run(session)
    assert session.runs.outcome == "Done." and session.problems.places == ()
    assert session.run()
    left = session.runs.left_s
    assert left is None or left >= 0
    until(session, lambda: not session.busy)


def test_files_from_the_future_are_read_as_any(tmp_path, bundle, fake_machine, call, monkeypatch):
    from .scans import scan

    ct = scan().save(tmp_path / "ct.nii.gz")
    os.utime(ct, (4e9, 4e9))
    monkeypatch.chdir(tmp_path)
    assert call("segment", ct, "--model", bundle) == 0

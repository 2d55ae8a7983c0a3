"""Training that is killed anywhere and resumed gives the same next losses and the same weights, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.training.conftest import box_case

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forks")
def test_killed_in_any_phase(tmp_path):
    cases = tmp_path / "cases"
    for name, split, shift in (("a", "train", 0), ("b", "train", 1), ("c", "validation", 0)):
        box_case(cases, name, split, shift)
    command = [sys.executable, "-m", "Testing.hardening.interrupted_training", str(cases), str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert {
        "before batch",
        "before loss",
        "after step",
        "after validate",
        "in the middle of a file",
        "after replace",
    } <= (set(found["phases"]))
    assert len(found["phases"]) > 50

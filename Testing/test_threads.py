"""numpy's own threads: none, in everything that also runs networks, unless the user wants them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from TwoStageSegLib.threads import ONE_THREAD, keep_blas_to_one_thread

ROOT = Path(__file__).resolve().parent.parent
WATCHED = """
import importlib.abc, os, runpy, sys
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            print("numpy begins with", os.environ.get("OPENBLAS_NUM_THREADS"), file=sys.stderr)
sys.meta_path.insert(0, Watch())
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def test_what_the_user_says_stays() -> None:
    environment = {"OPENBLAS_NUM_THREADS": "4"}
    keep_blas_to_one_thread(environment)
    assert environment == {"OPENBLAS_NUM_THREADS": "4"}
    empty: dict[str, str] = {}
    keep_blas_to_one_thread(empty)
    assert empty == ONE_THREAD == {"OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    "program",
    [
        ["training", "suggest", "--from", "no-such-folder", "--name", "x"],
        ["TwoStageSegLib.cli", "sample", "sample.nrrd"],
    ],
    ids=["training", "command line"],
)
def test_it_is_said_before_numpy_begins(program: list[str], tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-c", WATCHED, *program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.count("numpy begins with") == done.stderr.count("numpy begins with 1") > 0, done.stderr

"""A short soak (the long one: ``python -m Testing.benchmarks.soak``): many runs, the same bits, no growth."""

from __future__ import annotations

import sys

import pytest

from TwoStageSegLib.volume import Volume

from .test_real_networks import GRID, body

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")]
ROUNDS, GROWTH_MB = 60, 8.0


def check(figures) -> None:
    assert figures.identical, figures.hashes
    for process in figures.rss_mb:
        assert figures.growth_mb(process) < GROWTH_MB, list(figures.lines())
    for before, after in figures.counts.values():
        assert after <= before, list(figures.lines())


def test_runs_in_one_warm_worker(stand_in):
    from Testing.benchmarks.soak import soak_worker

    check(soak_worker(stand_in, Volume(body(), GRID, "CT"), ROUNDS))


def test_runs_in_one_scene(stand_in, scene):
    from Testing.benchmarks.soak import soak_scene

    check(soak_scene(scene, stand_in, Volume(body(), GRID, "CT"), ROUNDS))

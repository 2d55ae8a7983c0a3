"""A run without a patient: every network has run once, nothing is left of it, and whoever comes is not kept waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.rehearsal import SHAPE_ZYX, block, rehearse
from TwoStageSegLib.sample.phantom import generate
from TwoStageSegLib.systems.runner import Runner

BUNDLES = (
    "hn-oar-ct",
    "hn-oar-ct-views",
    "hn-oar-ct-focus",
    "esophagus-ct-centre",
    "larynx-ct-filter",
    "gtv-ct-filter",
)


@pytest.mark.parametrize("name", BUNDLES)
def test_the_networks_of_every_system_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(load_model(name), "cpu")
    ran: set[str] = set()
    forward = Runner._forward

    def noted(self: Runner, batch, exact):
        ran.add(self.spec.file)
        return forward(self, batch, exact)

    monkeypatch.setattr(Runner, "_forward", noted)
    rehearse(pipeline, lambda: False)
    networks = pipeline.model.manifest.networks
    missing = {role for role, spec in networks.items() if spec.file not in ran}
    assert not missing


def test_the_next_run_is_what_it_would_have_been(tiny_bundle: Path) -> None:
    volume = generate(7, surroundings=False).volume
    expected = Pipeline(load_model(tiny_bundle), "cpu").run(volume)
    pipeline = Pipeline(load_model(tiny_bundle), "cpu")
    rehearse(pipeline, lambda: False)
    got = pipeline.run(replace(volume))
    assert got.notices == expected.notices and len(got.located) > 3
    for a, b in zip(got.organs, expected.organs, strict=True):
        assert a.region == b.region
        assert (a.mask is None) == (b.mask is None)
        assert a.mask is None or b.mask is None or np.array_equal(a.mask.voxels, b.mask.voxels)


def test_stops_between_organs(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(load_model(tiny_bundle), "cpu")
    segmented: list[str] = []
    segment = pipeline.system.segment
    monkeypatch.setattr(
        pipeline.system, "segment", lambda volume, region: segmented.append(region.organ) or segment(volume, region)
    )
    rehearse(pipeline, lambda: len(segmented) >= 2)
    assert segmented == list(pipeline.model.manifest.organ_names[:2])


def test_the_block_is_a_plausible_scan() -> None:
    volume = block("CT")
    assert volume.modality == "CT" and volume.voxels.shape == SHAPE_ZYX
    assert volume.voxels.min() == -1000 and 0 < volume.voxels.max() < 300
    assert (volume.geometry.extent_zyx_mm > (180, 300, 400)).all()

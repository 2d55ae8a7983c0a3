"""The bundles in this repository: whole, self-tested, small enough, honest about what they are, and able to run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.device import Device
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model, verify
from TwoStageSegLib.region import Region
from TwoStageSegLib.resources import resource_path
from TwoStageSegLib.sample.phantom import generate
from TwoStageSegLib.systems import create
from TwoStageSegLib.volume import Volume

FOLDERS = sorted(p.parent for p in resource_path("models").glob("*/manifest.json"))
LARGEST_BYTES = 40e6


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def model(request: pytest.FixtureRequest) -> Model:
    return verify(request.param)


@pytest.fixture(scope="module")
def scan() -> Volume:
    return generate(3).volume


def test_every_published_system_has_a_bundle() -> None:
    systems = {verify(folder).manifest.system for folder in FOLDERS}
    assert systems == {"localise-crop", "slice-centre", "slice-filter", "multi-view", "focus"}


def test_all_together_are_small_enough() -> None:
    size = sum(file.stat().st_size for folder in FOLDERS for file in folder.iterdir())
    assert size <= LARGEST_BYTES


def test_it_passes_its_self_test(model: Model) -> None:
    create(model, Device("cpu", "CPU", half=False)).self_test()


def test_it_says_what_it_is(model: Model) -> None:
    m = model.manifest
    card = (model.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert m.name == model.folder.name and m.regulatory_status.startswith("Not a medical device")
    assert m.intended_use in card and all(line in card for line in m.licence.training_data)
    for organ in m.organ_names:
        assert m.measured(organ), f"{organ} has no figures: python -m training evaluate --write"


def test_it_answers_a_box_and_may_say_not_located(model: Model, scan: Volume) -> None:
    """On a synthetic neck: automatic regions for every organ (real bundles may find nothing), and a mask that stays in
    the box that the user drew, on the voxels of the input."""
    system = create(model, Device("cpu", "CPU", half=False))
    organs = model.manifest.organ_names
    found = system.locate(scan, organs)
    assert set(found) == set(organs)
    geometry = scan.standard.geometry
    centre = geometry.index_to_lps((np.asarray(geometry.shape_zyx) - 1) / 2)
    box = Region.box(organs[0], [edge for c in centre for edge in (c - 20, c + 20)])
    mask = system.segment(scan, box)
    assert isinstance(mask, Mask) and mask.geometry == scan.geometry
    if not mask.empty:
        points = mask.geometry.index_to_lps(np.argwhere(mask.voxels) + mask.start_zyx)
        assert np.abs(points - centre).max() <= 20 + 3 + max(geometry.spacing_zyx_mm)  # and its slack


def test_no_other_file_is_beside_them() -> None:
    root = resource_path("models")
    assert {p.name for p in Path(root).iterdir() if p.is_dir()} == {f.name for f in FOLDERS}

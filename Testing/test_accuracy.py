"""The shipped bundle on real CTs: a floor under the figures that its manifest states. Not where they are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from training.data.prepared import ORGANS
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline
from TwoStageSegLib.region import Region, Status
from TwoStageSegLib.resources import resource_path

CASES = ("test_pt_286", "test_pt_307")
FLOOR = {
    "Bone_Mandible": 0.75,
    "Parotid_R": 0.65,
    "Parotid_L": 0.65,
    "Brainstem": 0.65,
    "SpinalCord": 0.5,
    "Larynx": 0.5,
}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    if not (resource_path("models") / "hn-oar-ct" / "manifest.json").is_file():
        pytest.skip("the bundle hn-oar-ct is not here")
    return Pipeline(load_model("hn-oar-ct"), "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_organs_are_located_and_segmented(pipeline: Pipeline, data_dir: Path, case: str) -> None:
    folder = data_dir / "quick" / "openkbp"
    volume = read_volume(folder / f"{case}_ct.nrrd")
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{case}_seg.nrrd")))
    result = pipeline.run(volume)
    for organ in result.organs:
        truth = labels == 1 + ORGANS.index(organ.organ)
        if organ.organ not in FLOOR or not truth.any():
            continue
        assert organ.region.status == Status.LOCATED, organ.organ
        assert organ.mask is not None
        assert dice(organ.mask.full(), truth) > FLOOR[organ.organ], organ.organ


@pytest.mark.slow
def test_a_click_gives_the_same_organ(pipeline: Pipeline, data_dir: Path) -> None:
    folder = data_dir / "quick" / "openkbp"
    volume = read_volume(folder / f"{CASES[0]}_ct.nrrd")
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{CASES[0]}_seg.nrrd")))
    truth = labels == 1 + ORGANS.index("Parotid_L")
    centre = volume.geometry.index_to_lps(np.argwhere(truth).mean(0))
    mask = pipeline.run(volume, ["Parotid_L"], {"Parotid_L": Region.click("Parotid_L", centre)}).organs[0].mask
    assert mask is not None
    assert dice(mask.full(), truth) > FLOOR["Parotid_L"]


@pytest.mark.slow
def test_manifest_states_its_figures(pipeline: Pipeline) -> None:
    evaluation = pipeline.model.manifest.evaluation
    for organ in pipeline.model.manifest.organ_names:
        assert {"auto", "box", "click"} <= set(evaluation["organs"][organ])
        assert [mm for mm, _ in evaluation["location_error"][organ]["shift_mm"]] == [0, 1, 3, 5, 7, 9]

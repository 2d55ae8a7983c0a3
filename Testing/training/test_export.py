"""A finished run becomes a bundle: verified, self-tested, described, and replaced as a whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from Testing.harness.tiny_recipe import TINY, write_run
from training import export as module
from training.data.prepared import Case, load_cases
from training.export import budget, export
from training.methods.localise_crop import METHOD
from training.methods.organs import COLOURS
from training.sources import OPENKBP, PHANTOM
from TwoStageSegLib.device import Device
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.model import CARD, verify
from TwoStageSegLib.structures import structure
from TwoStageSegLib.systems import create

pytestmark = pytest.mark.usefixtures("located_anywhere")


@pytest.fixture(scope="module")
def validation(prepared: Path) -> list[Case]:
    return load_cases(prepared, "validation")


@pytest.fixture
def bundle(tiny_run: Path, validation, tmp_path: Path) -> Path:
    return export(TINY, OPENKBP, tiny_run, tmp_path / "models" / "tiny", validation, "1.2.3").folder


def test_the_bundle_verifies_and_passes_its_self_test(bundle):
    model = verify(bundle)
    create(model, Device("cpu", "CPU", half=False)).self_test()
    names = {"MODEL_CARD.md", "locate.safetensors", "segment.safetensors", "selftest.safetensors"}
    assert set(model.manifest.files) == names
    assert {p.name for p in bundle.iterdir()} == names | {"manifest.json"}
    assert [p.name for p in bundle.parent.iterdir()] == ["tiny"]  # nothing else is left there


def test_the_manifest_says_what_the_recipe_says(bundle):
    m = verify(bundle).manifest
    assert (m.name, m.version, m.system) == ("tiny", "1.2.3", "localise-crop")
    assert m.organ_names == ("Brainstem", "Parotid_R", "Parotid_L")
    assert [(o.output, o.mirror) for o in m.organs] == [(0, False), (1, False), (1, True)]
    assert m.organ("Brainstem").crop_mm == [40.0, 64.0, 64.0]  # 16 voxels of 2.5, 4, 4 mm
    assert m.organ("Parotid_L").terminology == structure("Parotid_L").terminology
    assert (m.input.clip, m.input.scale, m.input.outside) == ([-300.0, 700.0], 150.0, -1024.0)
    assert m.networks["segment"].outputs == ["Brainstem", "Parotid_R"]
    assert m.parameters == {"average_mirror": True, "box_slack_mm": 3.0, "recentre_mm": 8.0}


def test_an_mr_bundle_says_how_its_values_are_told(tmp_path, monkeypatch):
    """The same box cases as MR, all the way to a bundle that segments: values and their scale do not matter to it."""
    from Testing.training.conftest import SPACING, box_case
    from training.data import prepared as layout
    from training.reference import volume_of
    from TwoStageSegLib.pipeline import Pipeline
    from TwoStageSegLib.volume import Volume

    monkeypatch.setattr("Testing.training.conftest.write_case", partial(layout.write_case, modality="MR"))
    for name, split in (("a", "train"), ("b", "validation")):
        box_case(tmp_path / "cases", name, split)
    recipe = replace(TINY, modality="MR", clip=(-500.0, 2000.0), centre=500.0, scale=250.0)
    cases = load_cases(tmp_path / "cases", "validation")
    run = write_run(tmp_path / "cases", tmp_path / "run")
    model = export(recipe, PHANTOM, run, tmp_path / "mr", cases, "1.0.0")
    assert (model.manifest.input.modality, model.manifest.input.percentiles) == ("MR", [1.0, 99.0])
    assert "its own range: percentile 1 is 0" in (model.folder / CARD).read_text()
    volume = volume_of(cases[0])
    assert (volume.modality, cases[0].spacing_zyx_mm) == ("MR", SPACING)
    louder = Volume(volume.voxels.astype("float32") * 3.7 + 90, volume.geometry, "MR")
    one, other = (Pipeline(model, "cpu").run(v).organs for v in (volume, louder))
    for a, b in zip(one, other, strict=True):
        assert (a.region.status, a.region.size_mm) == (b.region.status, b.region.size_mm)
        assert (a.mask is None) == (b.mask is None) and (a.mask is None or (a.mask.voxels == b.mask.voxels).all())


def test_organs_without_a_colour_of_their_own_get_different_ones(prepared, tiny_run, validation, tmp_path):
    named = replace(TINY, targets=(replace(TINY.targets[0], organ="Ours", channel="Ours"), *TINY.targets[1:]))
    named = replace(named, organs=("Ours", *TINY.organs[1:]))
    organs = {o.name: o.rgb for o in METHOD.parts(named, Path()).organs}
    assert organs["Ours"] == list(COLOURS[0]) and organs["Parotid_R"] == list(structure("Parotid_R").rgb)


def test_numbers_are_measured_on_validation(bundle):
    """The locator finds the whole body as every organ, so every face of its box lies outside the organ: margin 0 plus
    half a patch of two voxels of 6 mm."""
    organ = verify(bundle).manifest.organ("Brainstem")
    assert organ.margin_mm == [6.0] * 6
    assert organ.volume_ml == [20.5, 20.5]
    assert 0.05 <= organ.located_score <= organ.low_score <= 1


def test_the_card_states_licence_use_and_that_nothing_was_measured(bundle):
    text = (bundle / CARD).read_text()
    for line in (OPENKBP.weights_licence, OPENKBP.data_licence, *OPENKBP.attribution, OPENKBP.intended_use):
        assert line in text
    assert "Not for: diagnosis" in text and "Not evaluated yet" in text and "tiny" in text


def test_a_second_export_replaces_the_first(bundle, tiny_run, validation):
    (bundle / "stray").write_text("left by somebody")
    model = export(TINY, PHANTOM, tiny_run, bundle, validation, "2.0.0")
    assert verify(bundle).manifest.version == model.manifest.version == "2.0.0"
    assert not (bundle / "stray").exists()
    assert [p.name for p in bundle.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize("step", ["method", "create", "_write_self_test"])
def test_an_export_that_fails_leaves_the_old_bundle(bundle, tiny_run, validation, monkeypatch, step):
    before = {p.name: p.read_bytes() for p in bundle.iterdir()}

    def broken(*arguments):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(module, step, broken)
    with pytest.raises(RuntimeError, match="broken on purpose"):
        export(TINY, OPENKBP, tiny_run, bundle, validation, "2.0.0")
    assert {p.name: p.read_bytes() for p in bundle.iterdir()} == before
    assert [p.name for p in bundle.parent.iterdir()] == ["tiny"]


def test_weights_can_be_chosen_for_each_network(tiny_run, validation, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    (run / "segment" / "best.safetensors").unlink()
    model = export(TINY, PHANTOM, run, tmp_path / "tiny", validation, "1.0.0", "locate=best,segment=final")
    assert model.name == "tiny"
    with pytest.raises(UsageError, match=r"no segment/best.safetensors. Train it first"):
        export(TINY, PHANTOM, run, tmp_path / "other", validation, "1.0.0", "best")
    assert not (tmp_path / "other").exists()


def test_a_locator_that_finds_nothing_is_said_so(prepared, validation, tmp_path):
    run = write_run(prepared, tmp_path / "run", locates=False)
    with pytest.raises(SystemExit, match="Brainstem was located in no validation case"):
        export(TINY, PHANTOM, run, tmp_path / "tiny", validation, "1.0.0")
    assert not (tmp_path / "tiny").exists()


def test_budget_in_words(tiny_run):
    state = json.loads((tiny_run / "locate" / "state_2.json").read_text())
    text = budget(tiny_run, ("locate", "segment"))
    assert text.startswith(f"locate 2 steps, {state['seconds'] / 60:.0f} min") and "; segment 2 steps" in text

"""Bundles on disk: found by name, verified to the byte before use."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from Testing.harness.bundles import manifest_values, write_fake_bundle, write_manifest
from TwoStageSegLib.errors import ModelRefused, UsageError
from TwoStageSegLib.manifest import MAX_MANIFEST_BYTES
from TwoStageSegLib.model import installed_folders, load_model, sha256_of, verify


def test_a_good_bundle_is_accepted(fake_bundle):
    model = verify(fake_bundle)
    assert model.name == "fake"
    assert model.sha256 == sha256_of(fake_bundle / "manifest.json")
    assert model.file("MODEL_CARD.md").read_text().startswith("# A bundle")


def test_one_changed_byte_is_refused(fake_bundle):
    file = fake_bundle / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelRefused, match=r"weights\.safetensors does not have the hash"):
        verify(fake_bundle)


def test_a_cut_file_is_refused(fake_bundle):
    file = fake_bundle / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ModelRefused, match="damaged or changed"):
        verify(fake_bundle)


@pytest.mark.parametrize("name", ["weights.pkl", "__init__.py", ".hidden"])
def test_a_file_that_is_not_listed_is_refused(fake_bundle, name):
    (fake_bundle / name).write_bytes(b"")
    with pytest.raises(ModelRefused, match="does not list"):
        verify(fake_bundle)


def test_a_folder_inside_is_refused(fake_bundle):
    (fake_bundle / "more").mkdir()
    with pytest.raises(ModelRefused, match="'more', which its manifest does not list"):
        verify(fake_bundle)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "MODEL_CARD.md"])
def test_a_missing_file_is_refused(fake_bundle, name):
    (fake_bundle / name).unlink()
    with pytest.raises(ModelRefused, match="missing"):
        verify(fake_bundle)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights on Windows")
@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_a_link_is_refused_even_to_the_right_bytes(fake_bundle, tmp_path, name):
    shutil.move(fake_bundle / name, tmp_path / "elsewhere")
    (fake_bundle / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelRefused, match="not a plain file"):
        verify(fake_bundle)


def test_a_folder_in_the_place_of_a_file_is_refused(fake_bundle):
    (fake_bundle / "weights.safetensors").unlink()
    (fake_bundle / "weights.safetensors").mkdir()
    with pytest.raises(ModelRefused, match="not a plain file"):
        verify(fake_bundle)


def test_a_listed_file_outside_the_folder_is_never_opened(fake_bundle, tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    values = manifest_values(fake_bundle)
    values["files"]["../secret"] = {"sha256": sha256_of(tmp_path / "secret"), "bytes": 1}
    write_manifest(fake_bundle, values)
    with pytest.raises(ModelRefused, match="is not allowed"):
        verify(fake_bundle)


def test_a_huge_manifest_is_refused_before_it_is_read(fake_bundle, monkeypatch):
    with (fake_bundle / "manifest.json").open("wb") as file:
        file.truncate(MAX_MANIFEST_BYTES + 1)
    monkeypatch.setattr("TwoStageSegLib.model.parse_manifest", lambda text: pytest.fail("was read"))
    with pytest.raises(ModelRefused, match="larger than"):
        verify(fake_bundle)


def test_a_changed_manifest_changes_the_models_hash(fake_bundle):
    before = verify(fake_bundle).sha256
    values = json.loads((fake_bundle / "manifest.json").read_text())
    values["title"] = "Another"
    write_manifest(fake_bundle, values)
    assert verify(fake_bundle).sha256 != before


def test_found_by_installed_name_and_by_folder(tmp_path, monkeypatch):
    folder = write_fake_bundle(tmp_path / "own" / "mine", "mine")
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    assert folder in installed_folders()
    assert load_model("mine").folder == folder
    assert load_model(folder).name == "mine"


def test_an_unknown_name_lists_what_is_installed(tmp_path, monkeypatch):
    write_fake_bundle(tmp_path / "own" / "mine", "mine")
    monkeypatch.setenv("TWOSTAGESEG_MODELS", str(tmp_path / "own"))
    with pytest.raises(UsageError, match=r"No model 'nothing'\. Installed: .*mine") as info:
        load_model("nothing")
    assert info.value.exit_code == 2

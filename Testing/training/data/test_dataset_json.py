"""``dataset.json`` in its three dialects: the Decathlon, nnU-Net 1 and nnU-Net 2, made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from Testing.training.data.conftest import ct, labels, save
from training.data.dataset_json import cases, organ_values, read_listing, spec_of
from training.data.published import published
from TwoStageSegLib.errors import UsageError


def organs_of(folder: Path, names: dict[str, str] | None = None) -> dict[str, dict[str, int]]:
    found = cases(folder, spec_of(folder), names)
    return {c.name: {m.organ: int(m.voxels.sum()) for m in c.read().masks} for c in found}


def nnunet(folder: Path, text: dict, name: str = "case_01") -> Path:
    """A raw data folder of nnU-Net with one case of two channels."""
    for channel in ("0000", "0001"):
        save(folder / "imagesTr" / f"{name}_{channel}.nii.gz", ct() + int(channel))
    save(folder / "labelsTr" / f"{name}.nii.gz", labels(1, 2))
    (folder / "dataset.json").write_text(json.dumps(text))
    return folder


def test_a_decathlon_task_that_a_paper_used(msd) -> None:
    """papers/002: the liver with its tumours is one organ."""
    folder = msd("Liver")
    assert organs_of(folder)["liver_000"] == {"Liver": 264}
    assert organs_of(folder, {"liver": "Liver", "cancer": "GTV"})["liver_000"] == {"Liver": 144, "GTV": 120}
    assert (spec_of(folder), read_listing(folder).modality) == (published()["msd-liver"], "CT")


def test_a_task_of_that_name_with_other_labels_is_read_as_it_says(msd) -> None:
    folder = msd("Liver", {"0": "background", "1": "left lobe", "2": "right lobe"})
    assert organs_of(folder)["liver_000"] == {"left_lobe": 144, "right_lobe": 120}


def test_files_that_a_mac_leaves_behind_are_no_cases(msd) -> None:
    folder = msd("Other", {"0": "background", "1": "spleen"}, cases=1)
    text = json.loads((folder / "dataset.json").read_text())
    text["training"].append({"image": "./imagesTr/gone.nii.gz", "label": "./labelsTr/gone.nii.gz"})
    (folder / "dataset.json").write_text(json.dumps(text))
    (folder / "labelsTr" / "._other_000.nii.gz").write_bytes(b"\0")
    found = list(cases(folder, spec_of(folder)))
    assert [c.name for c in found] == ["other_000"]
    read = found[0].read()
    assert [m.organ for m in read.masks] == ["Spleen"] and read.notices == ["label 2 has no name and is left out"]


def test_nnunet_2_has_values_by_name_and_channels_in_names(tmp_path: Path) -> None:
    text = {
        "channel_names": {"0": "CT", "1": "PET"}, "labels": {"background": 0, "spleen": 1, "liver": 2},
        "numTraining": 1, "file_ending": ".nii.gz",
    }  # fmt: skip
    folder = nnunet(tmp_path / "Dataset001_Two", text)
    assert organs_of(folder) == {"case_01": {"Spleen": 144, "Liver": 120}}
    assert next(iter(cases(folder, spec_of(folder)))).read().volume.voxels.max() == 90  # the first channel


def test_nnunet_1_lists_images_without_their_channel(tmp_path: Path) -> None:
    text = {
        "name": "Two", "modality": {"0": "MRI", "1": "MRI"}, "labels": {"0": "background", "1": "spleen", "2": "liver"},
        "training": [{"image": "./imagesTr/case_01.nii.gz", "label": "./labelsTr/case_01.nii.gz"}], "test": [],
    }  # fmt: skip
    folder = nnunet(tmp_path / "Task501_Two", text)
    assert organs_of(folder) == {"case_01": {"Spleen": 144, "Liver": 120}}
    assert next(iter(cases(folder, spec_of(folder)))).read().volume.modality == "MR"


def test_a_region_is_all_of_its_values(tmp_path: Path) -> None:
    text = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "kidney": [1, 2], "tumour": 2}}
    listing = read_listing(nnunet(tmp_path / "Dataset220_Kidney", text))
    assert listing.labels == {"kidney": [1, 2], "tumour": [2]}
    spec = spec_of(tmp_path / "Dataset220_Kidney")
    assert organ_values(listing.labels, spec, {"tumour": "GTV"}) == {"kidney": [1, 2], "GTV": [2]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ({"labels": {"background": 0, "liver": 1, "ignore": 2}}, "'ignore' label"),
        ({"labels": {"background": 0}}, "names no labels"),
        ({"channel_names": {"0": "CT"}}, "cannot be understood"),
        ({"labels": {"liver": "one"}}, "cannot be understood"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: dict, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        read_listing(nnunet(tmp_path, text))
    assert caught.value.code == "E_LAYOUT"


def test_a_folder_without_the_file_or_without_cases(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no dataset\.json"):
        read_listing(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"liver": 1}}))
    with pytest.raises(UsageError, match="no image with labels"):
        read_listing(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(UsageError, match="not valid JSON"):
        read_listing(tmp_path)

"""Names of labels: TG-263 where the table knows them, kept where it does not, never two for one organ."""

from __future__ import annotations

import pytest

from training.data.names import mapping, tg263
from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.structures import structures


@pytest.mark.parametrize(
    ("own", "meant"),
    [
        ("liver", "Liver"),
        ("left lung", "Lung_L"),
        ("Lung (right)", "Lung_R"),
        ("LeftParotid", "Parotid_L"),
        ("Parotid Gland R", "Parotid_R"),
        ("BRAIN STEM", "Brainstem"),
        ("BrainStem", "Brainstem"),
        ("spinal_cord", "SpinalCord"),
        ("Mandible", "Bone_Mandible"),
        ("OpticNerve_L", "OpticNrv_L"),
        ("Submandibular_R", "Glnd_Submand_R"),
        ("left atrium", "Atrium_L"),
        ("oesophagus", "Esophagus"),
        ("Eyes", "Eyes"),
    ],
)
def test_names_of_the_table_are_recognised(own: str, meant: str) -> None:
    assert tg263(own) == meant


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ("Anterior", "Anterior"),
        ("Parotid_L_old", "Parotid_L_old"),  # a word that says something else is not dropped
        ("left right lung", "left_right_lung"),  # both sides are none
        ("colon cancer primaries", "colon_cancer_primaries"),
        ("a/../b", "a_b"),
    ],
)
def test_other_names_are_kept_as_plain_words(own: str, kept: str) -> None:
    assert tg263(own) == kept


def test_every_name_of_the_table_means_itself() -> None:
    assert all(tg263(name) == name for name in structures())


def test_two_labels_never_become_one_organ() -> None:
    assert mapping(["Parotid_L", "rt parotid"]) == {"Parotid_L": "Parotid_L", "Parotid_R": "rt parotid"}
    with pytest.raises(UsageError, match="'Mandible' and 'mandible' would both be Bone_Mandible") as caught:
        mapping(["Mandible", "mandible"])
    assert caught.value.code == "E_NAMES"


def test_what_a_person_says_goes_first() -> None:
    assert mapping(["1", "mandible"], {"1": "Spleen"}) == {"Spleen": "1", "Bone_Mandible": "mandible"}

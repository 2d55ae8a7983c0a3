"""Segments are told by name, by code, and by a name that is written another way."""

from __future__ import annotations

import pytest

from TwoStageSegLib.review.pairing import organ_name
from TwoStageSegLib.structures import structures


@pytest.mark.parametrize("name", sorted(structures()))
def test_a_name_is_itself_and_its_code_alone_never_another_organ(name):
    assert organ_name(name, "") == name
    by_code = organ_name("something else", structures()[name].terminology)
    assert by_code in (name, "something else")


def test_sides_are_told_by_the_modifier():
    known = structures()
    assert organ_name("left one", known["Parotid_L"].terminology) == "Parotid_L"
    assert organ_name("right one", known["Parotid_R"].terminology) == "Parotid_R"


@pytest.mark.parametrize("text", ["parotid l", "PAROTID_L", "Parotid-L", "Parotid.L", " Parotid L "])
def test_other_spellings(text):
    assert organ_name(text) == "Parotid_L"


@pytest.mark.parametrize("terminology", ["", "~", "a~b~c~d", "x~^^~^^~^^", "context~SCT^1^a~SCT^85756007^Tissue~^^~~~"])
def test_what_nobody_knows_keeps_its_name(terminology):
    assert organ_name("Tumour 1", terminology) == "Tumour 1"


def test_the_name_goes_before_the_code():
    assert organ_name("Brainstem", structures()["Larynx"].terminology) == "Brainstem"

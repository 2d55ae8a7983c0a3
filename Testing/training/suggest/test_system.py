"""Which system for which data: the cases of the papers, told by their own sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.suggest.look import DataFacts, OrganFacts
from training.suggest.system import choose

PANCREAS = OrganFacts("Pancreas", 225, (40.0, 80.0, 130.0), 0.2, (110.0, 100.0, 170.0), 50.0, 40, 0.4, 20.0)
PROSTATE = OrganFacts("Prostate", 26, (30.0, 50.0, 90.0), 2.7, (50.0, 50.0, 60.0), 35.0, 14, 0.7, 4.0)
ESOPHAGUS = OrganFacts("Esophagus", 100, (20.0, 35.0, 60.0), 0.1, (250.0, 40.0, 45.0), 25.0, 100, 0.7, 10.0)
TUMOUR = OrganFacts("GTV", 50, (4.0, 60.0, 300.0), 0.1, (100.0, 90.0, 95.0), 20.0, 14, 0.18, 60.0)
NERVE = OrganFacts("OpticNrv_L", 48, (0.4, 0.6, 0.9), 0.001, (15.0, 40.0, 20.0), 8.0, 5, 0.05, 8.0)
PAROTID = OrganFacts("Parotid_L", 48, (15.0, 28.0, 45.0), 0.1, (70.0, 60.0, 50.0), 30.0, 24, 0.2, 10.0)
MANDIBLE = OrganFacts("Bone_Mandible", 48, (40.0, 60.0, 80.0), 0.2, (90.0, 110.0, 130.0), 60.0, 30, 0.25, 10.0)


def facts(*organs: OrganFacts) -> DataFacts:
    return DataFacts("CT", 40, 8, (2.5, 1.0, 1.0), (400.0, 500.0, 500.0), (-200.0, 300.0, 40.0, 80.0), organs)


def many(*organs: OrganFacts, count: int = 9) -> DataFacts:
    return facts(*organs, *(replace(PAROTID, organ=f"organ {i}") for i in range(count - len(organs))))


@pytest.mark.parametrize(
    ("data", "system", "because"),
    [
        (facts(PANCREAS), "localise-crop", "papers/002"),
        (facts(PROSTATE), "localise-crop", "one stage"),
        (facts(ESOPHAGUS), "slice-centre", "250 mm along z, 45 across"),
        (facts(TUMOUR), "slice-filter", "4.0 to 300.0 ml"),
        (many(NERVE, MANDIBLE), "focus", r"0.60 ml (OpticNrv_L) to 60 ml (Bone_Mandible)"),
        (many(PAROTID, MANDIBLE), "multi-view", "9 organs in one region"),
        (facts(NERVE, MANDIBLE), "localise-crop", "papers/002"),
        (facts(ESOPHAGUS, PANCREAS), "localise-crop", "papers/002"),
    ],
)
def test_the_system_of_the_paper_that_had_this_case(data: DataFacts, system: str, because: str) -> None:
    found = choose(data)
    assert found.system == system and because in " ".join(found.reasons)


def test_what_two_stages_pay_goes_by_the_share_of_the_image() -> None:
    middle = replace(PANCREAS, organ="Liver", percent=1.2)
    assert choose(facts(PANCREAS, PROSTATE, middle)).pays == {
        "Pancreas": "two stages win",
        "Prostate": "one stage may do better",
        "Liver": "two stages gain a little",
    }


def test_a_large_organ_is_to_be_compared_with_one_stage() -> None:
    assert any("fit baseline" in r and "Prostate 2.7 %" in r for r in choose(facts(PROSTATE)).reasons)
    assert not any("fit baseline" in r for r in choose(facts(PANCREAS)).reasons)

"""The report page: self-contained, complete, harmless, honest in words."""

from __future__ import annotations

import base64
import re
import struct
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.model import Model, verify
from TwoStageSegLib.outputs.pictures import SIZE_PX
from TwoStageSegLib.outputs.report import write_report
from TwoStageSegLib.pipeline import OrganResult, Result
from TwoStageSegLib.region import Region, Source, Status
from TwoStageSegLib.volume import Volume

CANARY = "<script>alert('x')</script>\"&"
GEOMETRY = Geometry((40, 60, 60), (-120.0, -118.0, -60.0), (4.0, 4.0, 3.0))
VOLUME = Volume(np.full((40, 60, 60), 40, np.int16), GEOMETRY, "CT")


class Page(HTMLParser):
    """Tags with their attributes, visible text, and whether every tag is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def model(fake_bundle) -> Model:
    return verify(fake_bundle)


def organ(name: str, start=(10, 20, 20), touches: bool = False, **changes) -> OrganResult:
    mask = Mask(name, np.ones((8, 7, 6), bool), start, GEOMETRY, touches)
    box = Region.box(name, (-50.0, 0.0, -50.0, 0.0, -40.0, 0.0), Source.AUTO)
    return OrganResult(name, replace(box, score=0.9, **changes), mask)


def result(*organs: OrganResult, **changes) -> Result:
    return Result(organs, changes.get("device", "CPU"), {"total": 2.5}, changes.get("notices", ()))


def written(tmp_path: Path, *arguments, **keywords) -> tuple[str, Page]:
    path = tmp_path / "report.html"
    write_report(path, VOLUME, *arguments, **keywords)
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".html"] == ["report.html"]
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    return text, page


def test_nothing_is_loaded_from_elsewhere(tmp_path, model):
    text, page = written(tmp_path, result(organ("Brainstem"), organ("Parotid_R")), model)
    assert not {"script", "link", "iframe", "object", "a", "form"} & {tag for tag, _ in page.tags}
    addresses = [v for _, a in page.tags for k, v in a.items() if k in ("src", "href", "srcset", "action", "data")]
    assert len(addresses) == 6
    assert all(a.startswith("data:image/png;base64,") for a in addresses)
    assert not re.search(r"url\(|@import|https?:|//[a-z]", re.sub(r"base64,[^\"]*", "", text))
    policy = next(a for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy["content"].startswith("default-src 'none'")


def test_pictures_are_pngs_of_the_stated_size_with_a_description(tmp_path, model):
    _, page = written(tmp_path, result(organ("Brainstem")), model)
    images = [a for t, a in page.tags if t == "img"]
    assert len(images) == 3
    for image in images:
        png = base64.b64decode(image["src"].split(",", 1)[1], validate=True)
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", png[16:24]) == (SIZE_PX, SIZE_PX)
        assert "Brainstem" in image["alt"]


def test_the_head_says_what_ran(tmp_path, model):
    _, page = written(tmp_path, result(organ("Brainstem"), device="CPU: 2 threads", notices=("Odd spacing.",)), model)
    for words in (
        "Bundle for tests (fake), version 0.0.1",
        model.sha256[:12],
        "CC0-1.0",
        "Research use only, not a medical device",
        "CPU: 2 threads, 2.5 seconds",
        "Odd spacing.",
        "60 x 60 x 40 · 4 x 4 x 3 mm",
    ):
        assert words in page.text
    assert model.sha256 not in page.text.partition("Audit record")[0]  # the head has its first twelve digits


def test_every_organ_has_its_status_volume_and_score(tmp_path, model):
    organs = (
        organ("Brainstem"),
        organ("Parotid_R", status=Status.LOW_CONFIDENCE),
        organ("Parotid_L", source=Source.CLICK),
        organ("Larynx", source=Source.BOX),
        organ("Esophagus", touches=True),
    )
    text, page = written(tmp_path, result(*organs), model)
    rows = dict(re.findall(r'<tr><th scope="row">.*?</span>(.*?)</th><td[^>]*>(.*?)</td>', text))
    assert rows == {
        "Brainstem": "located",
        "Parotid_R": "low confidence",
        "Parotid_L": "your click",
        "Larynx": "your box",
        "Esophagus": "located",
    }
    assert page.text.count("16.1 ml") == 5  # 8 * 7 * 6 voxels of 48 mm3
    assert "0.90" in page.text
    assert "the box may be too small" in page.text
    assert "Check first: Parotid_R, Esophagus." in page.text


def test_an_organ_that_was_not_located_is_said_in_words(tmp_path, model):
    nothing_inside = OrganResult("Parotid_L", Region.click("Parotid_L", (0.0, 0.0, 0.0)), None)
    missing = OrganResult("Parotid_R", Region.not_located("Parotid_R", 0.1), None)
    text, page = written(tmp_path, result(organ("Brainstem"), missing, nothing_inside), model)
    assert "1 of 3 organs have a contour. Not located: Parotid_R, Parotid_L." in page.text
    assert "Click its centre or draw a box around it" in page.text
    assert "Nothing was found at your click" in page.text
    assert len(re.findall(r'<td class="word missing">not located</td>', text)) == 2
    assert sum(t == "img" for t, _ in page.tags) == 6  # none of the organ without a place


def test_an_unusual_volume_is_pointed_out(tmp_path, model):
    manifest = replace(model.manifest, organs=[replace(o, volume_ml=[20.0, 30.0]) for o in model.manifest.organs])
    _, page = written(tmp_path, result(organ("Brainstem")), replace(model, manifest=manifest))
    assert "16.1 ml is outside the usual range of 20 to 30 ml." in page.text


def test_a_reference_adds_the_agreement(tmp_path, model):
    shifted = Mask("Brainstem", np.ones((8, 7, 6), bool), (10, 20, 21), GEOMETRY)
    _, page = written(tmp_path, result(organ("Brainstem")), model, reference=[shifted])
    assert "0.833" in page.text  # 5 of 6 columns in common
    assert "4.0" in page.text  # HD95: one voxel of 4 mm
    assert "Dashed white line: the reference" in page.text
    assert "Dice" not in written(tmp_path, result(organ("Brainstem")), model)[1].text


def test_text_from_outside_cannot_become_code(tmp_path, model):
    manifest = replace(
        model.manifest,
        title=CANARY,
        version=CANARY,
        intended_use=CANARY,
        not_for=[CANARY],
        licence=replace(model.manifest.licence, weights=CANARY, training_data=[CANARY]),
    )
    text, page = written(
        tmp_path, result(organ(CANARY), device=CANARY, notices=(CANARY,)), replace(model, manifest=manifest)
    )
    assert "<script" not in text
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count("<script>alert('x')</script>\"&") >= 9
    assert all(CANARY in a["alt"] for t, a in page.tags if t == "img")


def test_a_failure_leaves_nothing(tmp_path, model):
    with pytest.raises(InputRefused) as refusal:
        write_report(tmp_path / "absent" / "r.html", VOLUME, result(organ("Brainstem")), model)
    assert refusal.value.code == "E_OUTPUT"
    assert list(tmp_path.rglob("*.html")) == []


def test_seven_organs_take_little_time_and_space(tmp_path, model):
    names = ("Brainstem", "SpinalCord", "Parotid_R", "Parotid_L", "Esophagus", "Larynx", "Bone_Mandible")
    organs = [organ(n) for n in names]
    begun = time.process_time()
    text, _ = written(tmp_path, result(*organs), model)
    assert time.process_time() - begun < 1.5
    assert len(text) < 3_000_000

"""A review on paper: profile, slice pictures, tables, CSV; the same figures everywhere, nothing from elsewhere."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from Testing.harness.fake_reviews import fake_review
from Testing.outputs.test_pictures import decoded, is_red
from Testing.outputs.test_report import GEOMETRY, VOLUME, Page, organ, result, written
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import compare
from TwoStageSegLib.model import Model, verify
from TwoStageSegLib.outputs.audit import audit_record, changed, compact, organ_record, organ_tags, read
from TwoStageSegLib.outputs.pictures import slice_picture
from TwoStageSegLib.outputs.profile import profile_svg
from TwoStageSegLib.outputs.review_data import agreement_cells, agreement_json, counts_text, review_csv, review_json
from TwoStageSegLib.outputs.review_report import Reviewed, write_review_report
from TwoStageSegLib.outputs.review_section import PICTURES, list_section
from TwoStageSegLib.review.findings import Basis, OrganReview, SliceFinding
from TwoStageSegLib.review.reference import compare_with_reference

RGB = (255, 0, 0)


@pytest.fixture
def model(fake_bundle) -> Model:
    return verify(fake_bundle)


def block(name: str = "Brainstem", start=(10, 20, 20), shape=(8, 7, 6)) -> Mask:
    return Mask(name, np.ones(shape, bool), start, GEOMETRY)


def review(count: int = 5, why: str = "area jumps") -> OrganReview:
    """Slices 11, 12, ...; every second one is flagged."""
    slices = (
        SliceFinding(
            "Brainstem", 10 + i, (-36.0, -34.0, -30.0 + 3 * i), 100.0 * (i + 1), 0.1 * i, (why,) * (i % 2), i % 2 == 1
        )
        for i in range(count)
    )
    return OrganReview("Brainstem", Basis.SUSPICION, tuple(slices), ("a note",))


def record(**organs) -> dict:
    return audit_record(None, "", {}, {"total": 1.0}, organs)


def test_the_profile_has_a_point_per_slice_and_a_diamond_per_flag():
    svg = profile_svg(review(5), RGB)
    assert svg.count("<circle") == 5 and svg.count("<polygon") == 2 and svg.count("<polyline") == 2
    # slices 11..15: the first point lies half of a fifth of the way along 34..550, risk 0 is at the bottom (116)
    first = re.findall(r'points="([^"]*)" fill="none" stroke="rgb', svg)[0].split(" ")[0]
    assert first == "85.6,116.0"
    assert "risk per slice of Brainstem, slices 11 to 15; 2 flagged" in svg
    assert "<title>slice 12: risk 0.10, area jumps</title>" in svg
    assert profile_svg(OrganReview("Brainstem", Basis.SUSPICION, ()), RGB) == ""
    assert "&lt;b&gt;" in profile_svg(review(3, "<b>"), RGB) and "<b>" not in profile_svg(review(3, "<b>"), RGB)


def test_a_slice_picture_shows_its_own_slice():
    mask = block()
    voxels = mask.voxels.copy()
    voxels[3:] = False
    half = replace(mask, voxels=voxels)
    inside, above = (SliceFinding("Brainstem", z, (-28.0, -26.0, -60.0 + 3 * z), 0.0, 0.5) for z in (11, 15))
    drawn = decoded(slice_picture(VOLUME, inside, half, None, RGB).png)
    assert is_red(drawn).any()
    assert slice_picture(VOLUME, inside, half, None, RGB).position_mm == pytest.approx(-60 + 3 * 11)
    assert not is_red(decoded(slice_picture(VOLUME, above, half, None, RGB).png)).any()
    white = decoded(slice_picture(VOLUME, above, half, mask, RGB).png)
    assert (white.min(-1) == 255).any()  # the reference, dashed


def test_csv_and_json_carry_the_same_figures():
    found = review(4, "=1+1; cmd")
    text = review_csv([found], record())
    comment, _, body = text.partition("\n")
    assert json.loads(comment.removeprefix("# "))["schema"] == "twostageseg-audit/1"
    rows = list(csv.DictReader(io.StringIO(body)))
    values = review_json(found)["slices"]
    assert [int(r["slice"]) for r in rows] == [v["slice"] for v in values] == [11, 12, 13, 14]
    for row, value in zip(rows, values, strict=True):
        assert [float(row[f"{a}_lps_mm"]) for a in "xyz"] == value["centre_lps"]
        assert (float(row["score"]), float(row["area_mm2"])) == (value["score"], value["area_mm2"])
        assert row["flagged"] == ("yes" if value["flagged"] else "no") and row["dice"] == ""
    assert rows[1]["reasons"] == "'=1+1; cmd"  # no formula


def test_agreement_is_one_set_of_figures():
    mask, true = block(), block(start=(10, 20, 21))
    values, cells = agreement_json(compare(mask, true)), agreement_cells(compare(mask, true))
    assert values["dice"] == pytest.approx(5 / 6, abs=1e-4) and cells["Dice"] == "0.833"
    assert values["hd95_mm"] == 4.0 and cells["HD95, mm"] == "4.0"
    assert (values["slices_missing"], values["slices_extra"], values["volume_ratio"]) == (0, 0, 1.0)
    assert agreement_json(compare(mask, replace(true, voxels=np.zeros((1, 1, 1), bool))))["volume_ratio"] is None
    assert set(agreement_cells(None).values()) == {""} and agreement_json(None) is None


def test_no_flag_is_not_called_right():
    nothing = replace(review(3), slices=tuple(replace(s, flagged=False) for s in review(3).slices))
    assert counts_text(nothing) == "no flag in 3" and counts_text(None) == "not reviewed"
    assert counts_text(review(5)) == "2 of 5"
    text = list_section([nothing])
    assert "No flag in 3 slices. Look at them all the same." in text
    assert not re.search(r"\b(ok|good|correct|fine)\b", text, re.I)
    assert "nothing to judge its slices by" in list_section([])


def test_the_segment_report_shows_profile_list_and_pictures(tmp_path, model):
    found = organ("Brainstem")
    judged = replace(found, review=fake_review(found.mask))
    text, page = written(tmp_path, result(judged, organ("Parotid_R")), model)
    assert sum(t == "svg" for t, _ in page.tags) == 1
    assert sum(t == "img" for t, _ in page.tags) == 6 + 2  # three planes of two organs, and two flagged slices
    assert "2 of 8 slices, worst first." in page.text and "not reviewed" in page.text
    assert "Slice 11: area jumps by 60 % from the slice below (risk 0.90)" in page.text
    assert "Audit record" in page.text and model.sha256 in text
    assert not re.search(r"url\(|@import|https?:|//[a-z]", re.sub(r"base64,[^\"]*", "", text))
    assert "✓" not in text


def test_many_flags_are_all_listed_and_the_worst_pictured(tmp_path, model):
    flagged = tuple(replace(s, flagged=True, reasons=("x",)) for s in review(20).slices)
    found = Reviewed("Brainstem", block(), replace(review(20), slices=flagged))
    write_review_report(tmp_path / "r.html", VOLUME, [found], None, record())
    text = (tmp_path / "r.html").read_text()
    page = Page(text)
    assert page.open == [] and sum(t == "img" for t, _ in page.tags) == PICTURES
    assert "20 of 20 slices flagged. The worst 6 are shown." in page.text
    assert text.count("<tr>") == 1 + 1 + 1 + 20  # two heads, one organ, twenty slices
    assert "Model" not in page.text.partition("Audit record")[0]


def test_the_review_page_with_a_reference_shows_errors(tmp_path, model):
    mask, true = block(), block(start=(12, 20, 20))
    pair = Reviewed("Brainstem", mask, compare_with_reference(mask, true), true, compare(mask, true))
    write_review_report(tmp_path / "r.html", VOLUME, [pair], model, record(Brainstem=organ_record(None, pair.review)))
    page = Page((tmp_path / "r.html").read_text())
    assert "4 of 10 slices, worst first." in page.text  # two extra below, two missing above
    assert "0.750" in page.text  # 6 of 8 slices in common
    assert "missing: the reference has the organ here" in page.text
    assert "Dashed white line: the reference." in page.text
    assert sum(t == "img" for t, _ in page.tags) == 4


def test_a_record_is_read_back_and_changed(model):
    found = organ("Brainstem")
    judged = replace(found, review=fake_review(found.mask))
    made = audit_record(
        model, "CPU", {"a": "b|c"}, {"total": 1.23456}, {"Brainstem": organ_record(found.region, judged.review)}
    )
    text = organ_tags(made, ["Brainstem", "Larynx"])["Brainstem"]["TwoStageSeg.Audit"]
    assert "|" not in text and "\n" not in text
    back = read(text)
    assert back == json.loads(json.dumps(made)) and back["parameters"] == {"a": "b|c"}
    assert back["model"] == {"name": "fake", "version": "0.0.1", "sha256": model.sha256}
    assert back["seconds"] == {"total": 1.2346}
    part = back["organs"]["Brainstem"]
    assert part["region"]["source"] == "auto" and part["region"]["centre_lps"] == [-25.0, -25.0, -20.0]
    assert [f["slice"] for f in part["flags"]["flagged"]] == [11, 18]
    edited = read(changed(text, "Brainstem", edits={"voxels_added": 3, "voxels_removed": 0}))
    assert edited["organs"]["Brainstem"]["edits"]["voxels_added"] == 3
    assert edited["organs"]["Brainstem"]["flags"] == part["flags"]
    for nonsense in ("", "{", "[]", '{"schema": "x"}', compact({"schema": "twostageseg-audit/1"})):
        assert read(nonsense) is None and changed(nonsense, "Brainstem", edits=None) == ""
    assert changed(text, "Larynx", edits=None) == ""

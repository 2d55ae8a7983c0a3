"""From raw cases to prepared ones: unknown stays unknown, overlaps, orientation, cut organs, what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Testing.training.data.conftest import BOXES, SHAPE, SPACING_XYZ, ct
from training.data.convert import convert, labels_of
from training.data.prepared import load_cases
from training.data.published import Published
from training.data.raw import Labelled, RawCase
from training.data.split import Shares
from TwoStageSegLib.errors import InputRefused, UsageError
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.volume import Volume

SPEC = Published("own", "CT", "files", licence="CC0", attribution=["me"])
GRID = Geometry(SHAPE, (0.0, 0.0, 0.0), SPACING_XYZ)
LIVER, SPLEEN = BOXES[1], BOXES[2]


def mask(organ: str, *boxes: tuple[slice, ...], grid: Geometry = GRID) -> Mask:
    inside = np.zeros(grid.shape_zyx, bool)
    for box in boxes:
        inside[box] = True
    return Mask(organ, inside, (0, 0, 0), grid).trimmed()


def case(name: str, *masks: Mask, volume: Volume | None = None, notices: tuple[str, ...] = ()) -> RawCase:
    labelled = Labelled(volume or Volume(ct(), GRID, "CT"), list(masks), list(notices))
    return RawCase(name, lambda: labelled)


def three(*masks: Mask) -> list[RawCase]:
    return [case(name, *masks) for name in ("a", "b", "c")]


def test_what_is_not_contoured_is_unknown_never_background(tmp_path: Path) -> None:
    cases = [*three(mask("Liver", LIVER), mask("Spleen", SPLEEN)), case("d", mask("Liver", LIVER))]
    about = convert(cases, SPEC, tmp_path, "own", Shares())
    found = {c.name: c for c in load_cases(tmp_path)}
    assert set(found["a"].known) == {"Liver", "Spleen"} and set(found["d"].known) == {"Liver"}
    assert found["d"].absent == () and not found["d"].whole("Spleen")
    assert np.array_equal(found["a"].labels == found["a"].value("Spleen"), mask("Spleen", SPLEEN).full())
    assert (found["a"].spacing_zyx_mm, found["a"].grade, found["a"].modality) == ((5.0, 4.0, 4.0), "", "CT")
    assert (about.organs, about.modality, about.left_out) == (["Liver", "Spleen"], "CT", {})


def test_the_split_is_written_and_kept(tmp_path: Path) -> None:
    convert(three(mask("Liver", LIVER)), SPEC, tmp_path, "own", Shares(seed=1))
    before = json.loads((tmp_path / "split-own.json").read_text())
    assert sorted(c for part in before.values() for c in part) == ["a", "b", "c"]
    assert {c.name: c.split for c in load_cases(tmp_path)} == {c: part for part, own in before.items() for c in own}
    more = [*three(mask("Liver", LIVER)), case("d", mask("Liver", LIVER))]
    convert(more, SPEC, tmp_path, "own", Shares(seed=2))
    after = json.loads((tmp_path / "split-own.json").read_text())
    assert all(set(before[part]) <= set(after[part]) for part in before)


def test_another_split_file_is_kept_to(tmp_path: Path) -> None:
    wanted = {"train": ["b"], "validation": ["c"], "test": ["a"]}
    (tmp_path / "mine.json").write_text(json.dumps(wanted))
    convert(three(mask("Liver", LIVER)), SPEC, tmp_path / "out", "own", Shares(), split_file=tmp_path / "mine.json")
    assert json.loads((tmp_path / "out" / "split-own.json").read_text()) == wanted
    (tmp_path / "mine.json").write_text('{"train": ["elsewhere"]}')
    with pytest.raises(UsageError, match="names no case of this data set"):
        convert(three(mask("Liver", LIVER)), SPEC, tmp_path / "new", "own", Shares(), split_file=tmp_path / "mine.json")


def test_a_case_that_cannot_be_read_is_left_out_with_its_reason(tmp_path: Path) -> None:
    def refuse() -> Labelled:
        raise InputRefused("E_GRID", "The voxels are others.")

    said: list[str] = []
    cases = [*three(mask("Liver", LIVER)), RawCase("bad", refuse), case("none")]
    about = convert(cases, SPEC, tmp_path, "own", Shares(), said=said.append)
    assert about.left_out == {"bad": "The voxels are others.", "none": "None of the organs is contoured in it."}
    assert not (tmp_path / "bad").exists() and "bad: left out. The voxels are others." in said
    assert "bad" not in (tmp_path / "split-own.json").read_text()
    written = json.loads((tmp_path / "dataset-own.json").read_text())
    assert (written["licence"], written["left_out"]) == ("CC0", about.left_out) and str(tmp_path) not in str(written)


def test_when_nothing_can_be_read_the_first_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No case could be prepared\. The first reason: None of the organs"):
        convert([case(n) for n in "abc"], SPEC, tmp_path, "own", Shares())


def test_only_the_organs_that_are_wanted(tmp_path: Path) -> None:
    cases = three(mask("Liver", LIVER), mask("Spleen", SPLEEN))
    assert convert(cases, SPEC, tmp_path, "own", Shares(), organs=["Spleen"]).organs == ["Spleen"]
    assert {o for c in load_cases(tmp_path) for o in c.organs} == {"Spleen"}
    with pytest.raises(UsageError, match=r"No case holds 'Heart'\. It holds: Spleen"):
        convert(cases, SPEC, tmp_path / "new", "own", Shares(), organs=["Spleen", "Heart"])


def test_an_image_that_is_no_ct_in_hu_is_left_out(tmp_path: Path) -> None:
    shifted = Volume((ct() + 1000).astype(np.int16), GRID, "CT")
    cases = [*three(mask("Liver", LIVER)), case("raw", mask("Liver", LIVER), volume=shifted)]
    assert "no Hounsfield units" in convert(cases, SPEC, tmp_path, "own", Shares()).left_out["raw"]


def test_where_organs_overlap_the_smaller_one_stays() -> None:
    """A tumour of 8 voxels in a liver of 180: the liver loses 4 %."""
    liver = mask("Liver", (slice(0, 5), slice(0, 6), slice(0, 6)))
    tumour = mask("GTV", (slice(0, 2), slice(0, 2), slice(0, 2)))
    labels = labels_of([liver, tumour], SHAPE)
    assert [(labels == v).sum() for v in (1, 2)] == [172, 8]
    half = mask("Lobe", (slice(0, 5), slice(0, 6), slice(0, 3)))
    with pytest.raises(InputRefused, match="Liver shares 50% of itself with smaller organs") as caught:
        labels_of([liver, half], SHAPE)
    assert caught.value.code == "E_OVERLAP" and "--organs" in str(caught.value)


def test_every_orientation_gives_the_same_case(tmp_path: Path) -> None:
    """The same scan on disk with its axes reversed: the prepared arrays do not differ."""
    turned = Geometry(
        SHAPE, (-116.0, -116.0, 55.0), SPACING_XYZ, ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0))
    )
    flip = (slice(None, None, -1),) * 3
    other = Mask("Liver", mask("Liver", LIVER).full()[flip], (0, 0, 0), turned)
    straight = Volume(ct(), GRID, "CT")
    reverse = Volume(ct()[flip], turned, "CT")
    cases = [case(n, mask("Liver", LIVER), volume=straight) for n in "ab"]
    convert([*cases, case("c", other, volume=reverse)], SPEC, tmp_path, "own", Shares())
    a, _, c = load_cases(tmp_path)
    assert np.array_equal(a.ct, c.ct) and np.array_equal(a.labels, c.labels) and a.known == c.known


def test_an_organ_that_is_seldom_cut_is_marked_where_it_is(tmp_path: Path) -> None:
    """The liver reaches the last slice in one case of three, the cord in all: only that liver is called cut."""
    cord, low = mask("SpinalCord", (slice(0, 12), slice(20, 22), slice(10, 12))), mask("Liver", LIVER)
    cut = mask("Liver", (slice(8, 12), slice(8, 14), slice(8, 14)))
    convert([case("a", low, cord), case("b", low, cord), case("c", cut, cord)], SPEC, tmp_path, "own", Shares())
    found = {c.name: c for c in load_cases(tmp_path)}
    assert [found[n].whole("Liver") for n in "abc"] == [True, True, False]
    assert all(found[n].whole("SpinalCord") for n in "abc")


def test_mr_is_told_in_thousandths_of_its_own_range(tmp_path: Path) -> None:
    ramp = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    volumes = [Volume(ramp, GRID, "MR"), Volume(ramp * np.float32(0.01), GRID, "MR"), Volume(ramp, GRID, "MR")]
    cases = [case(n, mask("Liver", LIVER), volume=v) for n, v in zip("abc", volumes, strict=True)]
    assert convert(cases, replace(SPEC, modality="MR"), tmp_path, "own", Shares()).modality == "MR"
    a, b, _ = load_cases(tmp_path)
    assert (a.modality, a.air, a.ct.dtype) == ("MR", 0.0, np.int16) and not a.outside.any()
    assert np.percentile(a.ct, (1, 99)) == pytest.approx((0, 1000), abs=1) and np.abs(a.ct - b.ct).max() <= 1


def test_ct_and_mr_do_not_mix(tmp_path: Path) -> None:
    ramp = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    cases = [*three(mask("Liver", LIVER))[:2], case("mr", mask("Liver", LIVER), volume=Volume(ramp, GRID, "MR"))]
    with pytest.raises(UsageError, match="holds CT and MR"):
        convert(cases, SPEC, tmp_path, "own", Shares())
    unsaid = [case(n, mask("Liver", LIVER), volume=Volume(ct(), GRID)) for n in "abc"]
    with pytest.raises(UsageError, match="--modality CT or MR"):
        convert(unsaid, SPEC, tmp_path / "new", "own", Shares())


def test_names_that_would_share_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="same name"):
        convert([case("a b", mask("Liver", LIVER)), case("a_b", mask("Liver", LIVER))], SPEC, tmp_path, "own", Shares())

"""locate, segment, place: the whole path with real networks (untrained ones, whose organs are noise: the hardest case).

What is asked of every orientation is equality of voxels, not likeness: nothing but the input's own axes may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from Testing.harness.bundles import write_manifest
from Testing.harness.orientations import all_48, grid
from Testing.harness.untrained import untrained_values, write_networks
from TwoStageSegLib.errors import Cancelled, InputRefused, UsageError
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.metrics import dice
from TwoStageSegLib.model import load_model
from TwoStageSegLib.pipeline import Pipeline, Result
from TwoStageSegLib.region import Region, Source
from TwoStageSegLib.volume import Volume

SHAPE, SPACING_XYZ, ORIGIN = (30, 26, 34), (3.1, 2.7, 4.3), (-50.0, 20.5, -300.0)
STRAIGHT = np.eye(3)
TURN = Rotation.from_euler("xyz", [14, -9, 21], degrees=True).as_matrix()
CLICK = Region.click("Larynx", (-3.0, 55.0, -235.0))
BOX = Region.box("Parotid_R", (-40.0, 10.0, 30.0, 80.0, -260.0, -210.0))


def head(direction: NDArray = STRAIGHT, seed: int = 0) -> tuple[NDArray, Geometry]:
    """An ellipsoid of mottled tissue in air; no two places look alike."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    mottle = ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)
    hu = np.where((y / 0.8) ** 2 + (x / 0.85) ** 2 + (z / 1.2) ** 2 < 1, 40 + 200 * mottle / mottle.std(), -1000)
    return np.rint(hu).astype(np.int16), grid(SHAPE, ORIGIN, SPACING_XYZ, direction)


def volume(direction: NDArray = STRAIGHT, seed: int = 0) -> Volume:
    return Volume(*head(direction, seed), "CT")


@pytest.fixture
def pipeline(stand_in: Path) -> Pipeline:
    return Pipeline(load_model(stand_in), "cpu")


def masks(result: Result) -> dict[str, NDArray[np.bool_]]:
    """Organ to full-size array, in the input's grid."""
    return {o.organ: o.mask.full() for o in result.organs if o.mask is not None}


def stored_otherwise(voxels: NDArray, geometry: Geometry, found: dict[str, NDArray]) -> Iterator[tuple]:
    """Every way to store the scan: (volume, the masks as they must come out there)."""
    turned = {organ: all_48(mask, geometry) for organ, mask in found.items()}
    for array, where in all_48(voxels, geometry):
        yield Volume(array, where, "CT"), {organ: next(other)[0] for organ, other in turned.items()}


def check_48(pipeline: Pipeline, voxels: NDArray, geometry: Geometry, organs=None, regions=None) -> int:
    """Run the scan stored in 48 ways; returns in how many of them the file is left-handed."""
    found = masks(pipeline.run(Volume(voxels, geometry, "CT"), organs, regions))
    assert set(found) >= set(organs or ()) and all(mask.any() and mask.mean() < 0.9 for mask in found.values())
    seen = left_handed = 0
    for other, expected in stored_otherwise(voxels, geometry, found):
        got = masks(pipeline.run(other, organs, regions))
        assert set(got) == set(expected)
        for organ in expected:
            assert np.array_equal(got[organ], expected[organ]), (organ, other.geometry.direction)
        seen, left_handed = seen + 1, left_handed + int(np.linalg.det(other.geometry.direction) < 0)
    assert seen == 48
    return left_handed


def test_48_orientations_give_identical_voxels(pipeline):
    """Located, clicked, boxed; left organ through the mirror; half of the files left-handed."""
    assert check_48(pipeline, *head(), regions={o.organ: o for o in (CLICK, BOX)}) == 24


def test_48_orientations_of_an_oblique_scan_give_identical_voxels(pipeline):
    assert check_48(pipeline, *head(TURN), ["Parotid_L", "Parotid_R"]) == 24


def test_an_oblique_header_changes_no_voxel(pipeline):
    """The patient turned in the scanner's frame: nothing is resampled, so not even rounding may differ."""
    straight, oblique = masks(pipeline.run(volume())), masks(pipeline.run(volume(TURN)))
    assert set(straight) == set(oblique) and len(straight) == 3
    for organ in straight:
        assert dice(straight[organ], oblique[organ]) >= 0.99
        assert np.array_equal(straight[organ], oblique[organ])


def test_an_oblique_scans_box_turns_with_it(pipeline):
    straight, oblique = (pipeline.locate(volume(d))["Parotid_R"] for d in (STRAIGHT, TURN))
    assert straight.size_mm == pytest.approx(oblique.size_mm)
    offset = np.subtract(straight.centre_lps, ORIGIN)
    assert np.allclose(np.subtract(oblique.centre_lps, ORIGIN), TURN @ offset, atol=1e-3)
    assert np.allclose(oblique.axes, TURN)


@pytest.mark.parametrize("given", [Region.click("Parotid_R", (10, 60, -240)), BOX], ids=["click", "box"])
def test_a_click_or_box_moves_its_own_organ_alone(pipeline, given):
    scan = volume()
    automatic, moved = pipeline.run(scan), pipeline.run(scan, regions={given.organ: given})
    for before, after in zip(automatic.organs, moved.organs, strict=True):
        if before.organ == given.organ:
            assert after.region == given
            assert not np.array_equal(before.mask.full(), after.mask.full())
        else:
            assert after.region == before.region and after.region.source == Source.AUTO
            assert np.array_equal(before.mask.full(), after.mask.full())


def test_a_drawn_box_bounds_what_comes_out(pipeline):
    scan = volume()
    mask = pipeline.run(scan, ["Parotid_R"], {"Parotid_R": BOX}).organs[0].mask
    points = scan.geometry.index_to_lps(np.argwhere(mask.full()))
    low, high = np.reshape(BOX.bounds_lps, (3, 2)).T
    slack = pipeline.model.manifest.parameters["box_slack_mm"]
    assert (points >= low - slack - 1e-6).all() and (points <= high + slack + 1e-6).all()


def test_results_come_in_the_models_order_for_the_organs_asked_for(pipeline):
    result = pipeline.run(volume(), ["Parotid_L", "Larynx", "Larynx"])
    assert [o.organ for o in result.organs] == ["Larynx", "Parotid_L"]
    assert all(o.mask.geometry == volume().geometry for o in result.located)
    assert set(result.seconds) == {"locate", "total"} and result.seconds["total"] >= result.seconds["locate"] > 0


@pytest.mark.parametrize(("organs", "regions"), [(["Heart"], {}), (None, {"Heart": Region.click("Heart", (0, 0, 0))})])
def test_an_unknown_organ_is_refused_with_the_known_ones(pipeline, organs, regions):
    with pytest.raises(UsageError, match=r"has no organ 'Heart'\. It has: Larynx, Parotid_R, Parotid_L") as info:
        pipeline.run(volume(), organs, regions)
    assert info.value.code == "E_ORGAN"


@pytest.mark.parametrize(
    "region",
    [Region.click("Larynx", (500, 0, 0)), Region.box("Larynx", (500, 520, 0, 20, 0, 20))],
    ids=["click", "box"],
)
def test_a_region_outside_the_image_is_refused(pipeline, region):
    with pytest.raises(InputRefused, match=r"of Larynx at .* lies outside the image") as info:
        pipeline.run(volume(), regions={"Larynx": region})
    assert info.value.code == "E_OUTSIDE"


@pytest.fixture
def located(pipeline, monkeypatch) -> list[Volume]:
    """Every volume on which the locator ran."""
    seen: list[Volume] = []
    locate = pipeline.system.locate

    def spy(scan, organs):
        seen.append(scan)
        return locate(scan, organs)

    monkeypatch.setattr(pipeline.system, "locate", spy)
    return seen


def test_the_locator_runs_once_per_volume(pipeline, located):
    scan, other = volume(), volume(seed=1)
    first = pipeline.run(scan, ["Larynx"])
    again = pipeline.run(scan)
    pipeline.locate(scan)
    assert located == [scan]
    assert again.organs[0].region == first.organs[0].region
    pipeline.run(other)
    assert located == [scan, other]
    pipeline.run(volume())  # the same voxels in another object: nobody promises that they are the same
    assert len(located) == 3


def test_the_locator_does_not_run_when_every_region_is_given(pipeline, located):
    pipeline.run(volume(), ["Larynx"], {"Larynx": CLICK})
    assert located == []


def test_progress_rises_from_0_to_1_and_names_every_organ(pipeline):
    calls: list[tuple[str, str, float]] = []
    pipeline.run(volume(), progress=lambda *step: calls.append(step))
    assert [(stage, organ) for stage, organ, _ in calls] == [
        ("locate", ""),
        ("segment", "Larynx"),
        ("segment", "Parotid_R"),
        ("segment", "Parotid_L"),
        ("done", ""),
    ]
    fractions = [fraction for _, _, fraction in calls]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0


@pytest.mark.parametrize("after", [0, 1, 2, 4])
def test_cancel_stops_at_the_next_step_and_leaves_the_pipeline_usable(pipeline, after):
    calls: list[str] = []
    with pytest.raises(Cancelled) as info:
        pipeline.run(volume(), progress=lambda stage, *_: calls.append(stage), cancelled=lambda: len(calls) >= after)
    assert len(calls) == after and info.value.code == "E_CANCELLED"
    assert len(pipeline.run(volume()).organs) == 3


def test_an_empty_mask_is_none_and_counts_as_missing(pipeline, monkeypatch):
    def nothing(scan, region):
        return Mask(region.organ, np.zeros((2, 2, 2), bool), (0, 0, 0), scan.geometry)

    monkeypatch.setattr(pipeline.system, "segment", nothing)
    result = pipeline.run(volume(), ["Larynx"])
    assert result.missing == ("Larynx",) and result.located == ()


def test_what_was_not_located_is_not_segmented(pipeline, monkeypatch):
    monkeypatch.setattr(pipeline.system, "locate", lambda scan, organs: {o: Region.not_located(o) for o in organs})
    monkeypatch.setattr(pipeline.system, "segment", lambda scan, region: pytest.fail("was segmented"))
    assert pipeline.run(volume()).missing == ("Larynx", "Parotid_R", "Parotid_L")


def test_notices_of_the_volume_and_the_device_reach_the_result(pipeline):
    pipeline.device.notice("slow")
    scan = Volume(*head(), "CT", ("odd",))
    assert pipeline.run(scan, ["Larynx"]).notices == ("odd", "slow")


def test_an_input_that_is_no_ct_is_refused_before_the_networks_see_it(pipeline, located):
    voxels, geometry = head()
    for bad, code in ((Volume(voxels, geometry, "MR"), "E_MODALITY"), (Volume(voxels + 1024, geometry), "E_HU_OFFSET")):
        for call in (pipeline.run, pipeline.locate):
            with pytest.raises(InputRefused) as info:
                call(bad)
            assert info.value.code == code
    assert located == []


def test_a_volume_is_checked_once(pipeline, monkeypatch):
    seen: list[Volume] = []
    monkeypatch.setattr("TwoStageSegLib.io.check_ct", seen.append)
    scan, other = volume(), volume(seed=1)
    for one in (scan, scan, other, other):
        pipeline.locate(one)
        pipeline.run(one, ["Larynx"])
    assert seen == [scan, other]


def test_a_model_for_mr_takes_mr_and_files_that_do_not_say(tmp_path):
    bundle = tmp_path / "mr"
    write_networks(bundle)
    values = untrained_values(bundle)
    values["input"]["modality"] = "MR"
    write_manifest(bundle, values)
    pipeline = Pipeline(load_model(bundle), "cpu")
    voxels, geometry = head()
    for modality in ("MR", ""):
        assert len(pipeline.locate(Volume(voxels + 1024, geometry, modality))) == 3
    with pytest.raises(InputRefused, match="The image is CT, the model needs MR") as info:
        pipeline.locate(Volume(voxels, geometry, "CT"))
    assert info.value.code == "E_MODALITY"


@pytest.fixture(scope="module")
def neck(data_dir: Path) -> tuple[NDArray, Geometry]:
    """A part of a real planning CT, 5.4 mm pixels and 3 mm slices, that holds jaw, larynx and parotids whole."""
    from TwoStageSegLib.io import read_volume

    whole = read_volume(data_dir / "quick" / "openkbp" / "validation_pt_201_ct.nrrd")
    part = np.ascontiguousarray(whole.voxels[36:102, 2:54, 18:78])
    origin = whole.geometry.index_to_lps((36, 2, 18))
    return part, grid(part.shape, origin, whole.geometry.spacing_xyz_mm, whole.geometry.direction)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_trained_bundle_on_a_real_ct_in_48_orientations_and_oblique(neck):
    try:
        pipeline = Pipeline(load_model("hn-oar-ct"), "cpu")
    except UsageError:
        pytest.skip("the bundle Resources/models/hn-oar-ct is not here; python -m training makes it")
    voxels, geometry = neck
    organs = ["Parotid_L", "Larynx"]
    assert check_48(pipeline, voxels, geometry, organs) == 24
    oblique = grid(voxels.shape, geometry.origin_lps, geometry.spacing_xyz_mm, TURN @ np.asarray(geometry.direction))
    straight, turned = (masks(pipeline.run(Volume(voxels, g, "CT"), organs)) for g in (geometry, oblique))
    assert all(np.array_equal(straight[organ], turned[organ]) for organ in organs)

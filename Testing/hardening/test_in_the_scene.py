"""What no file holds: voxels spoilt in the scene, markers as places, another target, a hasty finger."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.fake_system import BOXES_ZYX, UNSURE
from Testing.harness.mrml import segmentation_node
from Testing.harness.sessions import finish, run, until
from Testing.session.test_runs import block, voxels
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene import check_source, mask_from_segment, node_from_volume, put_mask
from TwoStageSegLib.scene.volumes import voxels_view
from TwoStageSegLib.session import RUN, VOLUME, RowStatus
from TwoStageSegLib.volume import Volume

from .scans import body, cut, scan


@pytest.fixture
def opened(seat, tmp_path):
    """A scan that Slicer read from a file, chosen in the session; the scene is cleaned afterwards."""
    node = seat.open(scan().save(tmp_path / "ct.nrrd"))
    assert seat.verdict(node) == ""
    yield node
    seat.clean()


def test_nan_in_the_scene(seat, opened):
    good = scan()
    voxels = good.voxels.astype(np.float32)
    voxels[3, 2, 1] = voxels[3, 2, 2] = np.nan
    node = node_from_volume(seat.session.scene, Volume(voxels, Geometry((24, 24, 28), good.origin, good.spacing)), "f")
    assert seat.verdict(node) == "E_NONFINITE"
    assert "2 voxels" in seat.session.problems.at(VOLUME) and "x, y, z = 1, 2, 3" in seat.session.problems.at(VOLUME)
    array = voxels_view(node.GetImageData())
    array[~np.isfinite(array)] = -1000.0
    node.GetImageData().GetPointData().GetScalars().Modified()  # put right: taken at the next look
    assert seat.session.check_volume() is not None


def test_places_in_the_scene(seat, opened):
    """Markers outside the scan are refused at their organ; odd ones are said; none of them is an index error."""
    session = seat.session
    session.corrections.auto_rerun = False
    session.corrections.set_region(Region.click("Brainstem", (900, 0, 150)))
    assert session.problems.at("Brainstem").endswith("lies outside the image. Move it.")
    for region, said in (
        (Region.click("Brainstem", (-28, -18, 205)), "Brainstem lies in air"),
        (Region.click("Parotid_L", (-8, 18, 157.5)), "Parotid_L lies on the patient's right"),
        (Region.box("Parotid_R", (-500, 500, -500, 500, -500, 900)), "reaches out of the scan"),
        (Region.click("Brainstem", (78, 72, 215)), ""),  # the last corner's voxel centre
    ):
        session.corrections.set_region(region)
        assert session.run([region.organ])
        finish(session)
        assert said in session.runs.outcome, session.runs.outcome
    with pytest.raises(InputRefused):
        Region.box("Brainstem", (4, 28, 4, 4, 130, 160))
    session.corrections.auto_rerun = True


def test_low_confidence_is_said(session, monkeypatch):
    monkeypatch.setenv(UNSURE, "Parotid_R")
    run(session)
    assert session.rows["Parotid_R"].status is RowStatus.LOW_CONFIDENCE and session.rows["Parotid_R"].score == 0.3
    assert session.rows["Brainstem"].status is RowStatus.LOCATED


def test_a_target_of_another_grid_keeps_what_is_in_it(seat, opened):
    """The user's segmentation lies on a coarser, shifted scan: its segment stays, ours is right in the world."""
    session = seat.session
    other = node_from_volume(
        session.scene,
        Volume(np.zeros((9, 9, 9), np.int16), Geometry((9, 9, 9), (3.0, 1.0, 120.0), (7.0, 6.0, 8.0))),
        "o",
    )
    mine = segmentation_node(session.scene)
    mine.SetReferenceImageGeometryParameterFromVolumeNode(other)
    geometry = Geometry((9, 9, 9), (3.0, 1.0, 120.0), (7.0, 6.0, 8.0))
    kept = put_mask(mine, Mask("Mine", np.ones((2, 3, 2), bool), (4, 4, 4), geometry), other)
    theirs = Volume(np.zeros((9, 9, 9), np.int16), geometry)
    before = mask_from_segment(mine, kept, theirs).full()
    session.choose_volume(opened)
    session.target = mine
    run(session)
    assert mine.GetSegmentation().GetNumberOfSegments() == 4
    assert np.array_equal(mask_from_segment(mine, kept, theirs).full(), before)
    for organ in BOXES_ZYX:
        assert np.array_equal(voxels(session, organ), block(organ))


def test_the_button_pressed_twice(seat, opened):
    session = seat.session
    assert session.run()
    assert not session.run() and not session.add_model_from_file(seat.session.model.folder)
    finish(session)
    assert session.problems.at(RUN) == "" and session.target.GetSegmentation().GetNumberOfSegments() == 3


def test_a_series_that_was_read_in_the_wrong_order_is_refused(seat, tmp_path):
    """ITK puts the slices where their order in the list says, not where they lie."""
    import vtk

    folder = scan().series(tmp_path / "ct")
    files = sorted(folder.iterdir())
    order = np.random.default_rng(0).permutation(len(files))
    listed = vtk.vtkStringArray()
    for i in order:
        listed.InsertNextValue(str(files[i]))
    node = seat.slicer.logics["Volumes"].AddArchetypeScalarVolume(str(files[order[0]]), "scan", 0, listed)
    with pytest.raises(InputRefused, match="does not lie where its files say"):
        check_source(node)
    assert seat.verdict(node) == "E_GEOMETRY"
    seat.clean()


def test_a_scan_that_was_changed_or_whose_file_is_gone_is_taken_as_it_is(seat, tmp_path):
    path = cut(scan().save(tmp_path / "ct.nii"), 0.7)
    node = seat.open(path)
    assert seat.verdict(node) == "E_TRUNCATED"
    voxels_view(node.GetImageData())[...] = body()
    node.GetImageData().GetPointData().GetScalars().Modified()
    node.GetImageData().Modified()
    node.StorableModified()
    assert node.GetModifiedSinceRead() and seat.verdict(node) == ""
    seat.clean()
    node = seat.open(path)
    path.unlink()
    assert seat.verdict(node) == ""  # nothing is left to look at: the voxels are what they are
    seat.clean()


def test_a_refused_scan_is_not_read_again_at_every_look(seat, tmp_path, monkeypatch):
    from TwoStageSegLib.scene import source

    node = seat.open(cut(scan().save(tmp_path / "ct.nii"), 0.6))
    looks = []
    real = source.check_files
    monkeypatch.setattr(source, "check_files", lambda paths: looks.append(1) or real(paths))
    assert seat.verdict(node) == "E_TRUNCATED"
    for _ in range(5):
        assert seat.session.check_volume() is None
    later = seat.session.clock() + 5
    monkeypatch.setattr(seat.session, "clock", lambda: later)
    until(seat.session, lambda: True)
    seat.session.tick()
    assert len(looks) == 1
    seat.clean()

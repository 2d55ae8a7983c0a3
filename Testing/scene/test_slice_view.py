"""What the user sees: a real Slicer slice view with the result on the scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.region import Region
from TwoStageSegLib.scene import node_from_volume, put_mask, region_to_roi
from TwoStageSegLib.structures import structure
from TwoStageSegLib.volume import Volume


def head(geometry: Geometry) -> np.ndarray:
    """A grey ball in air, with a bright block at the patient's left front (LPS +x, -y)."""
    z, y, x = np.mgrid[tuple(slice(n) for n in geometry.shape_zyx)]
    points = geometry.index_to_lps(np.stack([z, y, x], -1).reshape(-1, 3))
    voxels = np.full(len(points), -1000, np.int16)
    voxels[np.linalg.norm(points, axis=1) < 80] = 40
    voxels[(np.abs(points - (40, -30, 0)) < (10, 10, 20)).all(1)] = 240
    return voxels.reshape(geometry.shape_zyx)


def ball(geometry: Geometry, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    z, y, x = np.mgrid[tuple(slice(n) for n in geometry.shape_zyx)]
    points = geometry.index_to_lps(np.stack([z, y, x], -1).reshape(-1, 3))
    return (np.linalg.norm(points - centre, axis=1) < radius).reshape(geometry.shape_zyx)


def test_scan_outline_and_box_are_seen_where_they_are(mini: Any, tmp_path: Path) -> None:
    from Testing.harness.sliceshot import SliceShot

    geometry = Geometry((40, 96, 96), (-95.0, -95.0, -58.5), (2.0, 2.0, 3.0))
    ct = node_from_volume(mini.scene, Volume(head(geometry), geometry, "CT"), "CT")
    node = mini.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Result")
    mask = Mask("Parotid_R", ball(geometry, (-40.0, 10.0, 0.0), 18.0), (0, 0, 0), geometry).trimmed()
    put_mask(node, mask, ct)
    node.GetDisplayNode().SetVisibility2DFill(False)
    node.GetDisplayNode().SetSliceIntersectionThickness(2)
    view = SliceShot(mini)
    try:
        view.show(ct)
        view.go_to((0.0, 0.0, 0.0))
        plain = view.picture()
        region_to_roi(mini.scene, Region.box("Parotid_R", (-65, -15, -15, 35, -25, 25)))
        view.save(tmp_path / "axial.png")
        boxed = view.picture()

        # patient's left is on the right of the picture, front is on top: the bright block is top right
        row, column = view.pixel_of((-40.0, 30.0, 0.0))
        assert row < 250 < column
        assert plain[row, column].tolist() == [255, 255, 255]
        row, column = view.pixel_of((0.0, 0.0, 0.0))
        assert np.ptp(plain[row, column]) == 0
        assert 110 < plain[row, column, 0] < 145  # 40 HU at level 40

        colour = np.array(structure("Parotid_R").rgb)
        outline = np.abs(plain.astype(int) - colour).max(-1) < 40
        rows, columns = np.nonzero(outline & (np.ptp(plain.astype(int), -1) > 20))
        assert len(rows) > 50
        centre = view.pixel_of((40.0, -10.0, 0.0))
        assert abs(rows.mean() - centre[0]) < 4
        assert abs(columns.mean() - centre[1]) < 4
        row, column = view.pixel_of((60.0, -10.0, 0.0))  # inside the box, outside the organ: the scan is still seen
        assert np.abs(boxed[row, column].astype(int) - plain[row, column]).max() < 10
        row, column = view.pixel_of((65.0, -20.0, 0.0))  # on the box's edge
        near = np.abs(boxed.astype(int) - plain)[row, column - 3 : column + 4]
        assert near.max() > 50
        assert (tmp_path / "axial.png").stat().st_size > 1000
    finally:
        view.close()


@pytest.mark.parametrize(
    ("orientation", "point"), [("Coronal", (-40.0, 30.0, 10.0)), ("Sagittal", (-40.0, 30.0, 10.0))]
)
def test_a_second_view_in_the_same_process_shows_the_other_planes(
    mini: Any, orientation: str, point: tuple[float, float, float]
) -> None:
    from Testing.harness.sliceshot import SliceShot

    geometry = Geometry((40, 96, 96), (-95.0, -95.0, -58.5), (2.0, 2.0, 3.0))
    ct = node_from_volume(mini.scene, Volume(head(geometry), geometry, "CT"), "CT")
    view = SliceShot(mini, 300, 200, orientation)
    try:
        view.show(ct)
        view.go_to(point)
        picture = view.picture()
        assert picture.shape == (200, 300, 3)
        row, column = view.pixel_of(point)
        assert picture[row, column].tolist() == [255, 255, 255]
        above = view.pixel_of((*point[:2], 40.0))  # above the bright block: still the ball, and higher in the picture
        assert above[0] < row
        assert picture[above][0] < 200
    finally:
        view.close()

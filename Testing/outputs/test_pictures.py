"""Slice pictures: radiological display, true proportions, outlines where the mask is, any orientation the same."""

from __future__ import annotations

import io

import numpy as np
import pytest

from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.pictures import SIZE_PX, organ_pictures
from TwoStageSegLib.region import Region, Source
from TwoStageSegLib.volume import Volume

RGB = (255, 0, 0)
SPACING_XYZ = (2.0, 3.0, 4.0)


def scene() -> tuple[Volume, Mask]:
    """Soft tissue with a bright spot at the patient's left, front and top of a cuboid organ of 32 x 30 x 32 mm."""
    voxels = np.full((40, 50, 60), 40, np.int16)
    mask = np.zeros((8, 10, 16), bool)
    mask[:] = True
    start = (16, 20, 22)
    voxels[27:30, 14:17, 44:48] = 1000  # above, before and to the left of the organ
    geometry = Geometry((40, 50, 60), (-60.0, -75.0, -80.0), SPACING_XYZ)
    return Volume(voxels, geometry, "CT"), Mask("Organ", mask, start, geometry)


def decoded(png: bytes) -> np.ndarray:
    image_module = pytest.importorskip("PIL.Image")
    return np.asarray(image_module.open(io.BytesIO(png)).convert("RGB")).astype(int)


def is_red(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] == 255) & (image[..., 1] == 0)


def pictures(volume: Volume, mask: Mask | None, region: Region | None = None, reference: Mask | None = None):
    region = region or Region.click("Organ", (0.0, 0.0, 0.0), Source.CLICK)
    return organ_pictures(volume, region, mask, reference, RGB)


def test_three_planes_of_the_promised_size_through_the_organ():
    volume, mask = scene()
    shown = pictures(volume, mask)
    assert [p.plane.name for p in shown] == ["Axial", "Coronal", "Sagittal"]
    assert all(decoded(p.png).shape == (SIZE_PX, SIZE_PX, 3) for p in shown)
    # centre of the organ: indices 19.5, 24.5, 29.5, rounded to the even slice
    assert [p.coordinate for p in shown] == ["z", "y", "x"]
    assert [p.position_mm for p in shown] == [-80 + 20 * 4, -75 + 24 * 3, -60 + 30 * 2]


def test_proportions_follow_the_spacing():
    volume, mask = scene()
    extents_mm = {"Axial": (30, 32), "Coronal": (32, 32), "Sagittal": (32, 30)}  # rows, columns
    for picture in pictures(volume, mask, Region.box("Organ", (-1, 1, -1, 1, -1, 1))):
        red = is_red(decoded(picture.png))
        rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        mm_per_px = picture.side_mm / SIZE_PX
        assert np.ptp(rows) * mm_per_px == pytest.approx(extents_mm[picture.plane.name][0], abs=1.5)
        assert np.ptp(columns) * mm_per_px == pytest.approx(extents_mm[picture.plane.name][1], abs=1.5)


def test_left_is_right_front_and_head_are_up():
    volume, mask = scene()
    for name, expected in (("Axial", (-1, 1)), ("Coronal", (-1, 1)), ("Sagittal", (-1, -1))):
        # the organ is moved so that its middle plane cuts the spot
        start = {"Axial": (24, 20, 22), "Coronal": (16, 11, 22), "Sagittal": (16, 20, 37)}[name]
        moved = Mask("Organ", mask.voxels, start, mask.geometry)
        image = decoded(next(p.png for p in pictures(volume, moved) if p.plane.name == name))
        bright = np.argwhere(image.sum(-1) == 3 * 255)
        assert len(bright) > 20
        offset = bright.mean(0) - SIZE_PX / 2
        assert tuple(np.sign(offset)) == expected, name


@pytest.mark.parametrize("flip", [(True, False, False), (False, True, True), (True, True, True)])
def test_another_orientation_on_disk_gives_the_same_pictures(flip):
    volume, mask = scene()
    turned_volume, turned_mask = turn(volume, mask, flip)
    for one, other in zip(pictures(volume, mask), pictures(turned_volume, turned_mask), strict=True):
        assert one.png == other.png
        assert one.position_mm == pytest.approx(other.position_mm)


def turn(volume: Volume, mask: Mask, flip: tuple[bool, bool, bool]) -> tuple[Volume, Mask]:
    """The same scan stored with axes reversed and z and x exchanged."""
    slices = tuple(slice(None, None, -1) if f else slice(None) for f in flip)
    full = mask.full()[slices].transpose(2, 1, 0)
    voxels = volume.voxels[slices].transpose(2, 1, 0)
    first = [n - 1 if f else 0 for n, f in zip(volume.voxels.shape, flip, strict=True)]
    origin = volume.geometry.index_to_lps(first)
    signs = [-1.0 if f else 1.0 for f in flip]  # z, y, x
    direction = ((0.0, 0.0, signs[2]), (0.0, signs[1], 0.0), (signs[0], 0.0, 0.0))
    x, y, z = volume.geometry.spacing_xyz_mm
    geometry = Geometry(voxels.shape, (float(origin[0]), float(origin[1]), float(origin[2])), (z, y, x), direction)
    return Volume(voxels, geometry, "CT"), Mask("Organ", full, (0, 0, 0), geometry)


def test_a_box_is_dashed_and_a_reference_is_white():
    volume, mask = scene()
    box = Region.box("Organ", (-30.0, 30.0, -30.0, 30.0, -30.0, 30.0), Source.AUTO)
    without, with_box = (decoded(pictures(volume, mask, r)[0].png) for r in (Region.not_located("Organ"), box))
    assert is_red(with_box).sum() > is_red(without).sum() + 50
    row = is_red(with_box)[np.flatnonzero(is_red(with_box).any(1))[0]]  # the upper edge of the box
    assert 0.35 < row[row.nonzero()[0][0] : row.nonzero()[0][-1] + 1].mean() < 0.75
    compared = decoded(pictures(volume, None, Region.not_located("Organ"), mask)[0].png)
    assert not is_red(compared).any()
    assert (compared.sum(-1) == 3 * 255).sum() > 40


def test_nothing_to_show_gives_no_picture_and_a_click_alone_is_enough():
    volume, _ = scene()
    assert pictures(volume, None, Region.not_located("Organ")) == ()
    click = Region.click("Organ", (10.0, -4.0, 7.0))
    shown = pictures(volume, None, click)
    assert len(shown) == 3
    assert all(is_red(decoded(p.png)).sum() == 25 for p in shown)  # a cross of 13 + 13 - 1 pixels


def test_only_the_slices_are_read():
    class Watched(np.ndarray):
        largest = 0

        def __array_finalize__(self, source):
            if type(self).largest >= 0 and source is not None and not np.may_share_memory(self, source):
                Watched.largest = max(Watched.largest, self.size)

    volume, mask = scene()
    watched = Volume(volume.voxels.view(Watched), volume.geometry, "CT")
    Watched.largest = 0
    pictures(watched, mask)
    assert Watched.largest < volume.voxels.size / 4

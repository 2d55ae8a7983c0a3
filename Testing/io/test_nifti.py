"""NIfTI: voxels as nibabel reads them in every type, and the placements that ITK would quietly straighten."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest

from TwoStageSegLib.io import read_volume

AFFINE = np.array([[0, -1.5, 0, 20], [2, 0, 0, -30], [0, 0, 3, 5], [0, 0, 0, 1.0]])  # x runs +y, y runs -x (RAS)
FIELDS = {
    "pixdim": (80, "3f"),
    "qform_code": (252, "h"),
    "quatern": (256, "3f"),
    "srow": (280, "12f"),
    "dim": (40, "8h"),
}


def scan(dtype="i2") -> np.ndarray:
    """Voxels in nibabel's order (x, y, z)."""
    return np.random.default_rng(1).integers(0, 120, (20, 24, 7)).astype(dtype)


def save(path: Path, voxels=None, affine=AFFINE, sform: int = 1, qform: int = 1, scale=None, order="<") -> Path:
    voxels = scan() if voxels is None else voxels
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(voxels.dtype)
    image = nibabel.Nifti1Image(voxels, affine, header)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    image.header.set_xyzt_units("mm")
    if scale:
        image.header.set_slope_inter(*scale)
    image.to_filename(path)
    return path


def patched(path: Path, field: str, *values) -> Path:
    raw = bytearray(path.read_bytes())
    offset, kind = FIELDS[field]
    struct.pack_into("<" + kind, raw, offset, *values)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_and_byte_order(tmp_path, dtype, order):
    volume = read_volume(save(tmp_path / "a.nii.gz", scan(dtype), order=order))
    assert volume.voxels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(volume.voxels, scan(dtype).T)


@pytest.mark.parametrize(("sform", "qform"), [(1, 1), (1, 0), (0, 1), (2, 2)])
def test_the_grid_is_nibabels_in_lps(tmp_path, sform, qform):
    geometry = read_volume(save(tmp_path / "a.nii", sform=sform, qform=qform)).geometry
    for index in ((0, 0, 0), (3, 5, 2), (6, 23, 19)):
        ras = nibabel.affines.apply_affine(AFFINE, index[::-1])
        np.testing.assert_allclose(geometry.index_to_lps(index), ras * (-1, -1, 1), atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept", "expected"),
    [
        ("i2", 1, -1024, "i2"),
        ("u2", 1, -1024, "i2"),
        ("u1", 4, -1000, "i2"),
        ("i2", 1, 32700, "f4"),  # does not fit
        ("i2", 0.5, 0, "f4"),
        ("f4", 2, 1, "f4"),
        ("i2", 0, 7, "i2"),  # a slope of 0 means: no rescale
        ("i2", float("nan"), 0, "i2"),
    ],
)
def test_the_rescale(tmp_path, dtype, slope, intercept, expected):
    path = save(tmp_path / "a.nii", scan(dtype))
    raw = bytearray(path.read_bytes())
    struct.pack_into("<2f", raw, 112, slope, intercept)
    path.write_bytes(raw)
    volume = read_volume(path)
    scaled = scan(dtype).T.astype(float)
    if slope and slope == slope:
        scaled = scaled * slope + intercept
    assert volume.voxels.dtype == np.dtype(expected)
    np.testing.assert_allclose(volume.voxels, scaled, atol=1e-3)


def test_a_large_unsigned_value_with_a_large_intercept_stays_exact(tmp_path):
    voxels = (scan().astype(np.int32) + 40000).astype(np.uint16)
    path = save(tmp_path / "a.nii", voxels)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<2f", raw, 112, 1, -41000)
    path.write_bytes(raw)
    volume = read_volume(path)
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, scan().T - 1000)


def test_a_fourth_dimension_of_one_is_no_time(tmp_path):
    assert read_volume(save(tmp_path / "a.nii", scan()[..., None])).voxels.shape == (7, 24, 20)


def test_units_of_metres_are_honoured(tmp_path):
    image = nibabel.Nifti1Image(scan(), np.diag([0.002, 0.002, 0.003, 1]))
    image.header.set_xyzt_units("meter")
    image.to_filename(tmp_path / "a.nii")
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii").geometry.spacing_xyz_mm, (2, 2, 3), atol=1e-5)


def test_a_damaged_byte_is_noticed_by_the_checksum(tmp_path, refused):
    path = tmp_path / "a.nii.gz"
    plain = save(tmp_path / "a.nii").read_bytes()
    stored = bytearray(gzip.compress(plain, compresslevel=0))  # stored blocks: a flipped bit stays decodable
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    refused(path, "E_TRUNCATED")


def test_a_gz_name_without_compression_is_read(tmp_path):
    save(tmp_path / "a.nii").rename(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii.gz").voxels, scan().T)


def test_no_placement_gets_a_notice(tmp_path):
    volume = read_volume(save(tmp_path / "a.nii", sform=0, qform=0))
    assert "left and right" in volume.notices[0]
    np.testing.assert_allclose(volume.geometry.spacing_xyz_mm, (2, 1.5, 3))


def test_two_placements(tmp_path, refused):
    path = save(tmp_path / "a.nii")
    image = nibabel.load(path)
    moved = AFFINE.copy()
    moved[0, 3] += 5
    image.set_qform(moved, 1)
    image.to_filename(tmp_path / "moved.nii")
    assert "twice" in read_volume(tmp_path / "moved.nii").notices[0]
    mirrored = AFFINE.copy()
    mirrored[:, 1] *= -1
    image.set_qform(mirrored, 1)
    image.to_filename(tmp_path / "mirrored.nii")
    assert "twice" in refused(tmp_path / "mirrored.nii", "E_GEOMETRY")


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("place", [(1, 1), (0, 0)])
def test_spacing_that_itk_would_make_up(tmp_path, refused, value, place):
    path = save(tmp_path / "a.nii", sform=place[0], qform=place[1])
    refused(patched(path, "pixdim", value, 1.5, 3.0), "E_SPACING")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((2, 0.4, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0), "E_TILT"),
        ((0, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0), "E_GEOMETRY"),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "E_GEOMETRY"),
        ((2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0), "E_GEOMETRY"),
        ((float("nan"), 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0), "E_GEOMETRY"),
        ((2.2, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0), "E_GEOMETRY"),  # another spacing than pixdim's
        ((2, 0, 0, float("inf"), 0, 1.5, 0, 0, 0, 0, 3, 0), "E_GEOMETRY"),
    ],
)
@pytest.mark.parametrize("qform", [0, 1])
def test_a_placement_that_is_sheared_flat_or_no_number(tmp_path, refused, row, code, qform):
    refused(patched(save(tmp_path / "a.nii", qform=qform), "srow", *row), code)


def test_a_quaternion_that_is_no_number(tmp_path, refused):
    refused(patched(save(tmp_path / "a.nii", sform=0), "quatern", float("nan"), 0, 0), "E_GEOMETRY")


def test_huge_and_senseless_dimensions(tmp_path, refused):
    refused(patched(save(tmp_path / "a.nii"), "dim", 3, 2048, 2048, 2000, 1, 1, 1, 1), "E_TOO_LARGE")
    refused(patched(save(tmp_path / "b.nii"), "dim", 3, 20, 0, 7, 1, 1, 1, 1), "E_EMPTY")
    refused(patched(save(tmp_path / "c.nii"), "dim", 12, 20, 24, 7, 1, 1, 1, 1), "E_READ")
    refused(patched(save(tmp_path / "d.nii"), "dim", 3, 20, 24, 8, 1, 1, 1, 1), "E_TRUNCATED")


def test_a_small_file_that_claims_to_be_huge_takes_no_memory(tmp_path, refused):
    path = tmp_path / "a.nii.gz"
    plain = patched(save(tmp_path / "a.nii"), "dim", 3, 1000, 1000, 1000, 1, 1, 1, 1).read_bytes()
    path.write_bytes(gzip.compress(plain))
    refused(path, "E_TRUNCATED")


def test_colour_nifti2_and_pairs(tmp_path, refused):
    colour = np.zeros((20, 24, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    refused(save(tmp_path / "rgb.nii", colour), "E_COMPONENTS")
    refused(save(tmp_path / "complex.nii", scan().astype(np.complex64)), "E_COMPONENTS")
    refused(save(tmp_path / "vectors.nii", np.zeros((20, 24, 7, 1, 3), np.float32)), "E_COMPONENTS")
    nibabel.Nifti2Image(scan(), AFFINE).to_filename(tmp_path / "two.nii")
    assert "NIfTI-2" in refused(tmp_path / "two.nii", "E_FORMAT")
    raw = bytearray(save(tmp_path / "pair.nii").read_bytes())
    raw[344:348] = b"ni1\0"
    (tmp_path / "pair.nii").write_bytes(raw)
    refused(tmp_path / "pair.nii", "E_FORMAT")


def test_itk_prints_no_path(tmp_path, capfd):
    """ITK warns of scales in the sform that differ a little from the spacing, with the whole path."""
    read_volume(patched(save(tmp_path / "a.nii", qform=0), "srow", 2.01, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0))
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""

"""DICOM folders: exact voxels and grid for every straight series, a reason for every other one."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from Testing.harness.dicom import ct_slice, phantom, stack, structure_set, write
from TwoStageSegLib.io import read_volume

HU = phantom()
OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
PRONE = (-1, 0, 0, 0, -1, 0)


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE, SAGITTAL, PRONE, (1, 0, 0, 0, -1, 0)])
def test_voxels_and_grid_are_exact(tmp_path, orientation):
    volume = read_volume(write(tmp_path / "ct", stack(HU, orientation=orientation)))
    assert (volume.voxels.dtype, volume.modality, volume.notices) == (np.int16, "CT", ())
    np.testing.assert_array_equal(volume.voxels, HU)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    for z, y, x in ((0, 0, 0), (5, 15, 19), (2, 7, 3)):
        expected = np.array((-15, -20, 100)) + x * 1.5 * row + y * 2.0 * column + z * 3.0 * np.cross(row, column)
        np.testing.assert_allclose(volume.geometry.index_to_lps((z, y, x)), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_file_names_and_numbers_do_not_matter(tmp_path, seed):
    slices = stack(HU)
    order = np.random.default_rng(seed).permutation(len(slices))
    names = np.random.default_rng(seed + 9).permutation(len(slices))
    folder = write(
        tmp_path / "ct", [slices[i] for i in order], lambda k: f"{names[k]}.ima" if k % 2 else f"x{names[k]}"
    )
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.voxels, HU)
    assert volume.geometry.origin_lps == (-15, -20, 100)


def test_descending_slices(tmp_path):
    np.testing.assert_array_equal(read_volume(write(tmp_path / "ct", stack(HU)[::-1])).voxels, HU)


def test_each_slice_has_its_own_rescale(tmp_path):
    slices = stack(HU)
    for k, ds in enumerate(slices):
        ds.RescaleSlope, ds.RescaleIntercept = k + 1, -100 * k
        ds.PixelData = np.full(HU.shape[1:], 10 * k + 3, np.uint16).tobytes()
    volume = read_volume(write(tmp_path / "ct", slices))
    assert volume.voxels.dtype == np.int16
    assert volume.voxels[:, 0, 0].tolist() == [(10 * k + 3) * (k + 1) - 100 * k for k in range(6)]


def test_a_fractional_slope_in_a_later_slice_is_not_cut(tmp_path):
    slices = stack(HU)
    slices[3].RescaleSlope, slices[3].RescaleIntercept = 0.25, -0.5
    slices[3].PixelData = np.full(HU.shape[1:], 7, np.uint16).tobytes()
    volume = read_volume(write(tmp_path / "ct", slices))
    assert volume.voxels.dtype == np.float32
    assert volume.voxels[3, 0, 0] == 7 * 0.25 - 0.5
    np.testing.assert_array_equal(volume.voxels[[0, 1, 2, 4, 5]], HU[[0, 1, 2, 4, 5]])


def test_values_beyond_int16_are_kept(tmp_path):
    slices = stack(HU)
    slices[4].PixelData = np.full(HU.shape[1:], 60000, np.uint16).tobytes()
    volume = read_volume(write(tmp_path / "ct", slices))
    assert volume.voxels.dtype == np.int32 and volume.voxels[4, 0, 0] == 60000 - 1024
    np.testing.assert_array_equal(volume.voxels[:4], HU[:4])


def test_signed_12_bit_and_padding(tmp_path):
    slices = stack(HU)
    for ds, hu in zip(slices, HU, strict=True):
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0
        ds.PixelData = np.where(hu < -900, -2000, hu).astype(np.int16).tobytes()
    np.testing.assert_array_equal(read_volume(write(tmp_path / "ct", slices)).voxels, np.where(HU < -900, -2000, HU))


def test_the_modality_is_kept(tmp_path):
    slices = stack(HU)
    for ds in slices:
        ds.Modality, ds.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        del ds.RescaleSlope, ds.RescaleIntercept
    assert read_volume(write(tmp_path / "mr", slices)).modality == "MR"


def test_an_rtstruct_and_other_files_beside_the_slices_are_ignored(tmp_path):
    folder = write(tmp_path / "ct", [*stack(HU), structure_set()])
    (folder / "notes.txt").write_text("ZZCANARY")
    (folder / "more").mkdir()
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.voxels, HU)
    assert volume.notices == ("Ignored beside the slices: 1 RTSTRUCT.",)


def test_rounded_positions_pass(tmp_path):
    slices = stack(HU, thickness=3.27)
    for ds in slices:
        ds.ImagePositionPatient = [round(float(v), 1) for v in ds.ImagePositionPatient]
    geometry = read_volume(write(tmp_path / "ct", slices)).geometry
    assert geometry.spacing_xyz_mm[2] == pytest.approx(3.27, abs=0.02)


def test_deidentified_without_frame_of_reference(tmp_path):
    slices = stack(HU)
    for ds in slices:
        del ds.FrameOfReferenceUID, ds.PatientName, ds.PatientID
    assert "frame of reference" in read_volume(write(tmp_path / "ct", slices)).notices[0]


def test_a_derived_series_gets_a_notice(tmp_path):
    slices = stack(HU)
    for ds in slices:
        ds.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    assert "derived" in read_volume(write(tmp_path / "ct", slices)).notices[0]


def test_deflated_or_implicit_syntax(tmp_path):
    for name, syntax in (("implicit", ImplicitVRLittleEndian), ("deflated", DeflatedExplicitVRLittleEndian)):
        slices = stack(HU)
        for ds in slices:
            ds.file_meta.TransferSyntaxUID = syntax
        np.testing.assert_array_equal(read_volume(write(tmp_path / name, slices)).voxels, HU)


# -- refused


def test_a_folder_without_dicom(tmp_path, refused):
    (tmp_path / "a.txt").write_text("x")
    refused(tmp_path, "E_READ")
    refused(write(tmp_path / "rs", [structure_set()]), "E_READ")


def test_two_series(tmp_path, refused):
    folder = write(tmp_path / "ct", stack(HU))
    other = stack(HU[:4])
    for ds in other:
        ds.SeriesInstanceUID, ds.Modality = "1.2.3.9", "PT"
    message = refused(write(folder, other, lambda k: f"z{k}"), "E_MIXED_SERIES")
    assert "1: CT, 6 files of 20 x 16" in message and "2: PT, 4 files of 20 x 16" in message
    assert "1.2.3" not in message


@pytest.mark.parametrize(("lost", "count"), [([2], "1 slices"), ([2, 3], "2 slices"), ([1, 4], "2 slices")])
def test_a_missing_slice(tmp_path, refused, lost, count):
    slices = [ds for k, ds in enumerate(stack(phantom((9, 16, 20)))) if k not in lost]
    message = refused(write(tmp_path / "ct", slices), "E_MISSING_SLICE")
    assert message.startswith(count) and f"{100 + 3 * (lost[0] - 1):.1f} mm" in message


def test_a_missing_slice_at_the_end_cannot_be_seen(tmp_path):
    np.testing.assert_array_equal(read_volume(write(tmp_path / "ct", stack(HU)[:-1])).voxels, HU[:-1])


def test_a_repeated_position(tmp_path, refused):
    message = refused(write(tmp_path / "ct", [*stack(HU), ct_slice(HU[2], (-15, -20, 106))]), "E_DUPLICATE_POSITION")
    assert "106.0 mm" in message


def test_phases_of_a_4d_scan(tmp_path, refused):
    message = refused(write(tmp_path / "ct", stack(HU) + stack(HU) + stack(HU)), "E_DUPLICATE_POSITION")
    assert "3 times" in message


def test_variable_spacing(tmp_path, refused):
    slices = stack(HU)
    for k, ds in enumerate(slices):
        ds.ImagePositionPatient = [-15, -20, 100 + 3 * k + (1 if k > 3 else 0)]
    assert "3.00 to 4.00" in refused(write(tmp_path / "ct", slices), "E_SPACING")


@pytest.mark.parametrize("degrees", [2, 15, -15])
def test_gantry_tilt(tmp_path, refused, degrees):
    slices = stack(HU)
    angle = np.radians(degrees)
    for k, ds in enumerate(slices):  # the slices lean, the table moves straight
        ds.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(angle)), float(np.sin(angle))]
        ds.ImagePositionPatient = [-15, -20, 100 + 3 * k]
    refused(write(tmp_path / "ct", slices), "E_TILT")


def test_one_slice_shifted_sideways(tmp_path, refused):
    slices = stack(HU)
    slices[3].ImagePositionPatient = [-12, -20, 109]
    refused(write(tmp_path / "ct", slices), "E_TILT")


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("FrameOfReferenceUID", "1.2.3.77"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 0.8, 0.6]),
        ("PixelSpacing", [2.0, 1.6]),
        ("ImageType", ["DERIVED", "SECONDARY", "AXIAL"]),
    ],
)
def test_one_slice_of_another_kind(tmp_path, refused, tag, value):
    slices = stack(HU)
    setattr(slices[2], tag, value)
    refused(write(tmp_path / "ct", slices), "E_MIXED_SERIES")


def test_one_slice_of_another_size(tmp_path, refused):
    slices = stack(HU)
    slices[2] = ct_slice(HU[2, :8], slices[2].ImagePositionPatient)
    refused(write(tmp_path / "ct", slices), "E_MIXED_SERIES")


def test_a_localiser_in_the_series(tmp_path, refused):
    slices = stack(HU)
    slices[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert refused(write(tmp_path / "ct", slices), "E_LOCALISER").startswith("1 of 6")


def test_screenshots(tmp_path, refused):
    slices = stack(HU)
    for ds in slices:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    refused(write(tmp_path / "ct", slices), "E_LOCALISER")


@pytest.mark.parametrize("tag", ["RescaleSlope", "RescaleIntercept"])
def test_a_ct_without_rescale(tmp_path, refused, tag):
    slices = stack(HU)
    for ds in slices[:2]:
        delattr(ds, tag)
    assert refused(write(tmp_path / "ct", slices), "E_HU_OFFSET").startswith("2 of 6")


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_without_geometry(tmp_path, refused, tag):
    slices = stack(HU)
    delattr(slices[2], tag)
    refused(write(tmp_path / "ct", slices), "E_GEOMETRY")


@pytest.mark.parametrize("orientation", [[0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0]])
def test_an_orientation_that_is_none(tmp_path, refused, orientation):
    slices = stack(HU)
    for ds in slices:
        ds.ImageOrientationPatient = orientation
    refused(write(tmp_path / "ct", slices), "E_GEOMETRY")


def test_zero_pixel_spacing(tmp_path, refused):
    slices = stack(HU)
    for ds in slices:
        ds.PixelSpacing = [0, 1]
    refused(write(tmp_path / "ct", slices), "E_SPACING")


@pytest.mark.parametrize(("count", "code"), [(1, "E_DIM"), (3, "E_TOO_FEW_SLICES")])
def test_too_few_slices(tmp_path, refused, count, code):
    refused(write(tmp_path / "ct", stack(HU)[:count]), code)


def test_many_frames_and_colour(tmp_path, refused):
    slices = stack(HU)
    slices[1].NumberOfFrames = 2
    slices[1].PixelData *= 2
    refused(write(tmp_path / "frames", slices), "E_MULTIFRAME")
    slices = stack(HU)
    slices[1].SamplesPerPixel = 3
    refused(write(tmp_path / "colour", slices), "E_COMPONENTS")


@pytest.mark.parametrize("keep", [0.9, 0.2])
def test_a_truncated_slice(tmp_path, refused, keep):
    folder = write(tmp_path / "ct", stack(phantom((6, 64, 64))))
    path = sorted(folder.iterdir())[2]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    refused(folder, "E_TRUNCATED")


def test_a_slice_cut_in_its_header(tmp_path, refused):
    folder = write(tmp_path / "ct", stack(HU))
    path = sorted(folder.iterdir())[2]
    path.write_bytes(path.read_bytes()[:600])
    refused(folder, "E_READ")


def test_a_compression_that_cannot_be_decoded(tmp_path, refused):
    slices = stack(HU)
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
        ds.PixelData = encapsulate([b"no picture at all, but even"])
        ds["PixelData"].is_undefined_length = True
    message = refused(write(tmp_path / "ct", slices), "E_CODEC")
    assert "JPEG 2000" in message


def test_all_air(tmp_path, refused):
    refused(write(tmp_path / "ct", stack(np.full((6, 16, 20), -1000, np.int16))), "E_NO_SIGNAL")


def test_too_many_files(tmp_path, refused, monkeypatch):
    monkeypatch.setattr("TwoStageSegLib.io.dicom_tags.MAX_FILES", 5)
    refused(write(tmp_path / "ct", stack(HU)), "E_TOO_LARGE")


# -- real


def test_a_real_series_beside_its_rtstruct(data_dir):
    folder = data_dir / "quick" / "dcm_rtstruct_sts019"
    volume = read_volume(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    expected = reader.Execute()
    np.testing.assert_array_equal(volume.voxels, SimpleITK.GetArrayFromImage(expected))
    assert (volume.voxels.dtype, volume.modality) == (np.int16, "CT")
    assert volume.notices == ("Ignored beside the slices: 1 RTSTRUCT.",)
    np.testing.assert_allclose(volume.geometry.origin_lps, expected.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(volume.geometry.spacing_xyz_mm, expected.GetSpacing(), atol=1e-6)
    np.testing.assert_allclose(np.ravel(volume.geometry.direction), expected.GetDirection(), atol=1e-9)


def test_three_real_slices_are_too_few(data_dir, refused):
    refused(data_dir / "quick" / "dcm_seg_liver3", "E_TOO_FEW_SLICES")


def test_uids_are_unique_in_the_synthetic_series():
    assert len({ds.SOPInstanceUID for ds in stack(HU)}) == len(HU)

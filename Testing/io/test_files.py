"""NRRD and MetaImage files, and what all files share."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.io import plausible, read_volume

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LEFT_HANDED = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
EXTENSIONS = ("nrrd", "nhdr", "mha", "mhd", "nii", "nii.gz")


def scan(dtype="i2", shape=(6, 25, 30)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 120, shape).astype(dtype)


def image(
    voxels: np.ndarray, spacing=(1.0, 2.0, 3.0), origin=(-10.0, 5.0, 40.0), direction=LEFT_HANDED
) -> SimpleITK.Image:
    result = SimpleITK.GetImageFromArray(voxels)
    result.SetSpacing(spacing)
    result.SetOrigin(origin)
    result.SetDirection(direction)
    return result


def written(path: Path, voxels: np.ndarray | None = None, compress: bool = False, **geometry) -> Path:
    SimpleITK.WriteImage(image(scan() if voxels is None else voxels, **geometry), str(path), compress)
    return path


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("direction", [OBLIQUE, LEFT_HANDED])
@pytest.mark.parametrize("compress", [False, True])
def test_voxels_type_and_grid_are_the_files(tmp_path, extension, direction, compress):
    voxels = scan()
    volume = read_volume(written(tmp_path / f"a.{extension}", voxels, compress, direction=direction))
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, voxels)
    assert volume.geometry.shape_zyx == (6, 25, 30)
    np.testing.assert_allclose(volume.geometry.spacing_xyz_mm, (1, 2, 3), atol=1e-6)
    np.testing.assert_allclose(volume.geometry.origin_lps, (-10, 5, 40), atol=1e-5)
    np.testing.assert_allclose(np.ravel(volume.geometry.direction), direction, atol=1e-6)
    assert (volume.modality, volume.notices) == ("", ())


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "u4", "f4", "f8"])
def test_every_type_is_kept(tmp_path, extension, dtype):
    volume = read_volume(written(tmp_path / f"a.{extension}", scan(dtype)))
    assert volume.voxels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(volume.voxels, scan(dtype))


def test_big_endian_nrrd_and_metaimage(tmp_path):
    swapped = scan().astype(">i2").tobytes()
    nhdr = replaced(written(tmp_path / "a.nhdr"), b"endian: little", b"endian: big")
    (tmp_path / "a.raw").write_bytes(swapped)
    np.testing.assert_array_equal(read_volume(nhdr).voxels, scan())
    mhd = replaced(written(tmp_path / "b.mhd"), b"ByteOrderMSB = False", b"ByteOrderMSB = True")
    (tmp_path / "b.raw").write_bytes(swapped)
    np.testing.assert_array_equal(read_volume(mhd).voxels, scan())


@pytest.mark.parametrize("extension", ["nrrd", "mha"])
def test_64_bits(tmp_path, extension):
    volume = read_volume(written(tmp_path / f"a.{extension}", scan("i8")))
    np.testing.assert_array_equal(volume.voxels, scan("i8"))


def test_a_text_nrrd(tmp_path):
    path = replaced(written(tmp_path / "a.nhdr"), b"encoding: raw", b"encoding: ascii")
    (tmp_path / "a.raw").write_text(" ".join(str(v) for v in scan().ravel()))
    np.testing.assert_array_equal(read_volume(path).voxels, scan())


def test_a_nrrd_with_bytes_to_skip(tmp_path):
    path = replaced(written(tmp_path / "a.nhdr"), b"encoding: raw", b"byte skip: 17\nencoding: raw")
    (tmp_path / "a.raw").write_bytes(bytes(17) + scan().tobytes())
    np.testing.assert_array_equal(read_volume(path).voxels, scan())


def test_the_voxels_exist_once(tmp_path):
    path = written(tmp_path / "a.nrrd", scan(shape=(40, 200, 250)), compress=True)
    tracemalloc.start()
    volume = read_volume(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < volume.voxels.nbytes + 3e6


def test_padding_is_kept(tmp_path):
    voxels = scan()
    voxels[:, :3] = -3024
    assert read_volume(written(tmp_path / "a.nrrd", voxels)).voxels.min() == -3024


def test_importing_the_room_does_not_load_simpleitk():
    code = "import sys, TwoStageSegLib.io; print({'SimpleITK', 'pydicom'} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_names_with_spaces_umlauts_and_capitals(tmp_path):
    folder = tmp_path / "Prüfung 7 µ"
    folder.mkdir()
    path = written(tmp_path / "a.nrrd").rename(folder / "CT Schädel.NRRD")
    np.testing.assert_array_equal(read_volume(path).voxels, scan())
    path = written(tmp_path / "a.nii.gz").rename(folder / "CT Schädel.NII.GZ")
    np.testing.assert_array_equal(read_volume(str(path)).voxels, scan())


# -- refused: the file


def test_a_missing_file(tmp_path, refused):
    assert "nothing.nrrd" in refused(tmp_path / "nothing.nrrd", "E_READ")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_empty_file(tmp_path, refused, extension):
    (tmp_path / f"a.{extension}").touch()
    assert "0 bytes" in refused(tmp_path / f"a.{extension}", "E_READ")


@pytest.mark.parametrize("name", ["a.png", "a", "a.nrrd.txt", "a.gz"])
def test_an_unknown_kind(tmp_path, refused, name):
    (tmp_path / name).write_bytes(b"x" * 1000)
    assert ".nrrd" in refused(tmp_path / name, "E_FORMAT")


def test_a_single_dicom_file(tmp_path, refused):
    (tmp_path / "a.dcm").write_bytes(b"x" * 1000)
    assert "folder" in refused(tmp_path / "a.dcm", "E_FORMAT")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_something_else_under_a_known_name(tmp_path, refused, extension):
    (tmp_path / f"a.{extension}").write_bytes(b"\x89PNG\r\n" + bytes(range(256)) * 10)
    refused(tmp_path / f"a.{extension}", "E_READ")


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("keep", [0.7, 0.98])
def test_a_truncated_file(tmp_path, refused, extension, compress, keep):
    path = written(tmp_path / f"a.{extension}", compress=compress)
    data = max(tmp_path.iterdir(), key=lambda p: p.stat().st_size)  # the header's own file, or the one beside it
    content = data.read_bytes()
    data.write_bytes(content[: int(len(content) * keep)])
    refused(path, "E_TRUNCATED")


@pytest.mark.parametrize("extension", ["nrrd", "mha", "mhd", "nii.gz"])
def test_damage_in_the_middle_of_a_compressed_file(tmp_path, refused, extension):
    path = written(tmp_path / f"a.{extension}", compress=True)
    data = max(tmp_path.iterdir(), key=lambda p: p.stat().st_size)
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    refused(path, "E_TRUNCATED")


@pytest.mark.parametrize("extension", ["nhdr", "mhd"])
def test_the_voxels_file_is_missing_or_elsewhere(tmp_path, refused, extension):
    path = written(tmp_path / f"a.{extension}")
    (tmp_path / "a.raw").rename(tmp_path / "b.raw")
    refused(path, "E_READ")
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.raw").rename(tmp_path / "sub" / "a.raw")
    for elsewhere in ("sub/a.raw", "../a.raw", "/etc/passwd", "sub\\\\a.raw", "C:a.raw"):
        written(tmp_path / f"a.{extension}")
        refused(replaced(path, b"a.raw", elsewhere.encode()), "E_UNSAFE")
    written(tmp_path / f"a.{extension}")
    refused(replaced(path, b"a.raw", b"LIST"), "E_FORMAT")


@pytest.mark.parametrize(
    ("extension", "old", "new", "code"),
    [
        ("nrrd", b"sizes: 30 25 6", b"sizes: 30 25 x", "E_READ"),
        ("nrrd", b"sizes: 30 25 6", b"sizes: 30 25", "E_READ"),
        ("nrrd", b"sizes: 30 25 6", b"sizes: 30 25 0", "E_EMPTY"),
        ("nrrd", b"sizes: 30 25 6", b"sizes: 30 25 -6", "E_EMPTY"),
        ("nrrd", b"sizes: 30 25 6", b"sizes: 2048 2048 2000", "E_TOO_LARGE"),
        ("nrrd", b"encoding: raw", b"nothing: raw", "E_READ"),
        ("nrrd", b"type: short", b"type: block", "E_FORMAT"),
        ("nrrd", b"(-1,0,0)", b"(nan,nan,nan)", "E_SPACING"),
        ("nrrd", b"(-1,0,0)", b"(inf,0,0)", "E_SPACING"),
        ("nrrd", b"(-1,0,0)", b"(0,0,0)", "E_SPACING"),
        ("nrrd", b"(-1,0,0)", b"(0,1,0)", "E_GEOMETRY"),
        ("nrrd", b"(-1,0,0)", b"(-1,0.1,0)", "E_TILT"),
        ("nrrd", b"(-1,0,0)", b"(-1,0)", "E_GEOMETRY"),
        ("mha", b"DimSize = 30 25 6", b"DimSize = 30 25 0", "E_EMPTY"),
        ("mha", b"DimSize = 30 25 6", b"DimSize = 2048 2048 2000", "E_TOO_LARGE"),
        ("mha", b"MET_SHORT", b"MET_STRING", "E_FORMAT"),
        ("mha", b"ElementSpacing = 1", b"ElementSpacing = nan", "E_SPACING"),
        ("mha", b"ElementSpacing = 1", b"ElementSpacing = 0", "E_SPACING"),
        ("mha", b"ElementSpacing = 1", b"ElementSpacing = -1", "E_SPACING"),
        ("mha", b"TransformMatrix = -1 0 0 0 1 0", b"TransformMatrix = -1 0 0 -1 0 0", "E_GEOMETRY"),
        ("mha", b"TransformMatrix = -1 0 0 0 1 0", b"TransformMatrix = -1 0 0 0 0 0", "E_SPACING"),
        ("mha", b"TransformMatrix = -1 0 0 0 1 0", b"TransformMatrix = -1 0.1 0 0 1 0", "E_TILT"),
        ("mha", b"Offset = -10", b"Offset = nan", "E_GEOMETRY"),
    ],
)
def test_a_wrong_header(tmp_path, refused, extension, old, new, code):
    refused(replaced(written(tmp_path / f"a.{extension}"), old, new), code)


def test_a_nrrd_without_a_place_in_the_patient_gets_a_notice(tmp_path):
    path = written(tmp_path / "a.nhdr", direction=(1, 0, 0, 0, 1, 0, 0, 0, 1))
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("space", "kinds"))]
    path.write_text("\n".join([*lines[:-1], "spacings: 1 2 3", lines[-1]]) + "\n")
    volume = read_volume(path)
    assert volume.geometry.spacing_xyz_mm == (1, 2, 3)
    assert "left and right" in volume.notices[0]
    path.write_text(path.read_text().replace("spacings: 1 2 3", "spacings: 1 nan 3"))
    with pytest.raises(InputRefused) as caught:
        read_volume(path)
    assert caught.value.code == "E_SPACING"


# -- refused: the image


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii.gz"])
def test_dimensions_and_components(tmp_path, refused, extension):
    path = tmp_path / f"a.{extension}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(scan()[0]), str(path))
    refused(path, "E_DIM")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([scan("f4")] * 2), isVector=False), str(path))
    refused(path, "E_4D")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([scan("u1")] * 3, -1), isVector=True), str(path))
    refused(path, "E_COMPONENTS")


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii.gz"])
@pytest.mark.parametrize("depth", [1, 3])
def test_too_few_slices(tmp_path, refused, extension, depth):
    message = refused(written(tmp_path / f"a.{extension}", scan()[:depth]), "E_TOO_FEW_SLICES")
    assert f"30 x 25 x {depth}" in message


def test_four_slices_are_enough(tmp_path):
    assert len(read_volume(written(tmp_path / "a.nrrd", scan()[:4])).voxels) == 4


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii", "nii.gz"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(tmp_path, refused, extension, value):
    voxels = scan("f4")
    voxels[2, 3, 4] = voxels[5, 6, 7] = value
    message = refused(written(tmp_path / f"a.{extension}", voxels), "E_NONFINITE")
    assert message.startswith("2 voxels") and "x, y, z = 4, 3, 2" in message


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii.gz"])
def test_a_constant_image(tmp_path, refused, extension):
    refused(written(tmp_path / f"a.{extension}", np.full((6, 25, 30), -1000, np.int16)), "E_NO_SIGNAL")
    almost = np.full((6, 25, 30), -1000, np.int16)
    almost[5, 24, 29] = 0
    assert read_volume(written(tmp_path / f"b.{extension}", almost)).voxels.max() == 0


@pytest.mark.parametrize("extension", ["nrrd", "mha", "nii.gz"])
@pytest.mark.parametrize(
    ("spacing", "code"),
    [
        ((1.0, 1.0, 25.0), "E_SPACING"),
        ((0.001, 0.001, 0.003), "E_FOV"),  # metres
        ((0.0977, 0.0977, 0.3), "E_FOV"),  # centimetres
        ((0.05, 0.05, 0.05), "E_FOV"),  # micro-CT
        ((0.5, 0.5, 0.5), "E_FOV"),  # 15 mm
        ((1.0, 1.0, 19.0), None),
    ],
)
def test_implausible_sizes(tmp_path, refused, extension, spacing, code):
    path = written(tmp_path / f"a.{extension}", spacing=spacing)
    if code:
        refused(path, code)
    else:
        np.testing.assert_allclose(read_volume(path).geometry.spacing_xyz_mm, spacing, atol=1e-5)


def test_a_body_cannot_be_3_metres(tmp_path, refused):
    refused(written(tmp_path / "a.nrrd", scan(shape=(6, 25, 160)), spacing=(19.0, 1.0, 1.0)), "E_FOV")


def test_a_volume_larger_than_half_the_memory(tmp_path, refused, monkeypatch):
    path = written(tmp_path / "a.nrrd")
    monkeypatch.setattr(plausible, "_memory_bytes", lambda: 2 * 6 * 25 * 30 * 2 - 2)
    refused(path, "E_TOO_LARGE")
    monkeypatch.setattr(plausible, "_memory_bytes", lambda: 2 * 6 * 25 * 30 * 2)
    read_volume(path)


@pytest.mark.skipif(
    not hasattr(__import__("os"), "geteuid") or __import__("os").geteuid() == 0, reason="root reads all"
)
def test_a_file_one_may_not_read(tmp_path, refused):
    path = written(tmp_path / "a.nrrd")
    path.chmod(0)
    refused(path, "E_READ")


def test_real_images_read_as_simpleitk_reads_them(data_dir):
    quick = data_dir / "quick"
    for path in (
        *sorted((quick / "sct").glob("t*[12w].nii.gz")),
        *sorted((quick / "totalsegmentator").glob("*sm.nii.gz")),
        next((quick / "openkbp").glob("*_ct.nrrd")),
    ):
        expected = SimpleITK.ReadImage(str(path))
        volume = read_volume(path)
        assert volume.voxels.dtype == np.int16
        np.testing.assert_array_equal(volume.voxels, SimpleITK.GetArrayFromImage(expected))
        np.testing.assert_array_equal(np.ravel(volume.geometry.direction), expected.GetDirection())
        assert volume.geometry.origin_lps == expected.GetOrigin()
        assert volume.geometry.spacing_xyz_mm == expected.GetSpacing()

"""Bad and odd image files: NRRD, NIfTI, MetaImage. See ``table``."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import SimpleITK

from .scans import LEFT_HANDED, OBLIQUE, body, cut, replaced, scan
from .table import Given, case, exact, refused

FORMATS = ("nrrd", "nii.gz", "mha")
TILT = "not at right angles|tilt"


def in_every_format(folder: Path, **changes) -> list[Path]:
    """The scan with changes, compressed, as every kind of file."""
    return [scan().but(**changes).save(folder / f"ct.{f}", compress=True) for f in FORMATS]


def readable(folder: Path, formats=FORMATS, **changes) -> list[Given]:
    """As ``in_every_format``, with what it should be read as."""
    made = scan().but(**changes)
    return [Given(made.save(folder / f"ct.{f}"), made) for f in formats]


def nifti(path: Path, **fields: tuple[int, str, tuple]) -> Path:
    """The scan as NIfTI with header fields (offset, struct format, values) overwritten."""
    raw = bytearray(scan().save(path.with_name("plain.nii")).read_bytes())
    path.with_name("plain.nii").unlink()
    for offset, kind, values in fields.values():
        struct.pack_into("<" + kind, raw, offset, *values)
    path.write_bytes(gzip.compress(bytes(raw)) if path.suffix == ".gz" else bytes(raw))
    return path


@case(1, "zero-length file", refused("E_READ", says="0 bytes"))
def zero_length(folder):
    for name in FORMATS:
        (folder / f"ct.{name}").touch()
    return sorted(folder.iterdir())


@case(2, "volume with a zero dimension", refused("E_EMPTY"), session=refused("E_EMPTY", "E_DIM"))
def zero_dimension(folder):
    nrrd, mha = scan().save(folder / "ct.nrrd"), scan().save(folder / "ct.mha")
    return [
        replaced(nrrd, b"sizes: 28 24 24", b"sizes: 28 24 0"),
        replaced(mha, b"DimSize = 28 24 24", b"DimSize = 28 0 24"),
        nifti(folder / "ct.nii.gz", dim=(40, "4h", (3, 28, 24, 0))),
    ]


@case(3, "constant image (all air)", refused("E_NO_SIGNAL"))
def constant(folder):
    return in_every_format(folder, voxels=np.full((24, 24, 28), -1000, np.int16))


@case(4, "2D image", refused("E_DIM"), session=refused("E_DIM", "E_TOO_FEW_SLICES"))
def flat(folder):
    paths = [folder / f"ct.{f}" for f in FORMATS]
    for path in paths:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(body()[9]), str(path))
    return paths


@case(5, "depth 1 to 3 stored as 3D", refused("E_TOO_FEW_SLICES"), session=refused("E_TOO_FEW_SLICES", "E_DIM"))
def thin(folder):
    made = []
    for depth in (1, 2, 3):
        made += [scan().but(voxels=body()[9 : 9 + depth]).save(folder / f"ct{depth}.{f}") for f in FORMATS]
    return made


@case(6, "colour or vector pixels", refused("E_COMPONENTS"))
def colour(folder):
    paths = [folder / f"ct.{f}" for f in FORMATS]
    voxels = np.stack([(body() // 10 + 100).astype(np.uint8)] * 3, -1)
    for path in paths:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels, isVector=True), str(path))
    return paths


@case(7, "4D (time)", refused("E_4D"), session=refused("E_4D", "E_COMPONENTS"))
def time_series(folder):
    path = folder / "ct.nii.gz"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([body()] * 5), isVector=False), str(path))
    return path


@case(10, "truncated .nii.gz, .nii", refused("E_TRUNCATED"))
def truncated_nifti(folder):
    made = []
    for keep in (0.5, 0.95):
        made.append(cut(scan().save(folder / f"{keep}.nii.gz"), keep))
        made.append(cut(scan().save(folder / f"{keep}.nii"), keep))
    return made


@case(11, "truncated NRRD, MetaImage", refused("E_TRUNCATED"))
def truncated(folder):
    return [
        cut(scan().save(folder / f"{keep}{packed}.{f}", bool(packed)), keep)
        for keep in (0.7, 0.98)
        for packed in (0, 1)
        for f in ("nrrd", "mha")
    ]


def not_numbers(folder: Path, formats: tuple[str, ...]) -> list[Path]:
    made = []
    for name, value in (("nan", np.nan), ("inf", np.inf), ("minus", -np.inf)):
        voxels = body().astype(np.float32)
        voxels[12, 3, 4] = voxels[20, 3, 4] = value
        made += [scan().but(voxels=voxels).save(folder / f"{name}.{f}") for f in formats]
    return made


@case(12, "NaN and Inf in NIfTI (ITK makes them 0 HU)", refused("E_NONFINITE", says="x, y, z = 4, 3, 12"))
def not_numbers_in_nifti(folder):
    return not_numbers(folder, ("nii.gz", "nii"))


@case(
    13, "NaN and Inf in NRRD, MetaImage", refused("E_NONFINITE", says="^(twostageseg: )?2 voxels.*x, y, z = 4, 3, 12")
)
def not_numbers_elsewhere(folder):
    return not_numbers(folder, ("nrrd", "mha"))


@case(
    14, "a few NaN outside the body: nothing can be allowed, so refused as 12", refused("E_NONFINITE", says="^.*1 vox")
)
def nan_in_air(folder):
    voxels = body().astype(np.float32)
    voxels[0, 0, 0] = np.nan
    return in_every_format(folder, voxels=voxels)


@case(22, "sheared affine", refused("E_TILT", "E_GEOMETRY", says=TILT))
def sheared(folder):
    nrrd, mha = scan().save(folder / "ct.nrrd"), scan().save(folder / "ct.mha")
    return [
        replaced(nrrd, b"(0,4,0)", b"(0.5,4,0)"),
        replaced(mha, b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 0.1 0.995 0"),
        nifti(folder / "ct.nii", srow=(280, "12f", (-4, 0.5, 0, 30, 0, -4, 0, 20, 0, 0, 5, 100))),
    ]


@case(23, "oblique rigid orientation", exact())
def oblique(folder):
    return readable(folder, direction=OBLIQUE)


@case(24, "sagittal and coronal acquisition", exact())
def sagittal(folder):
    sagittal = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    coronal = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))
    (folder / "c").mkdir()
    return readable(folder, direction=sagittal) + readable(folder / "c", direction=coronal)


@case(25, "left-handed direction matrix", exact())
def left_handed(folder):
    return readable(folder, direction=LEFT_HANDED)


@case(26, "zero or singular direction", refused("E_GEOMETRY", "E_SPACING"))
def singular(folder):
    nrrd, mha = scan().save(folder / "ct.nrrd"), scan().save(folder / "ct.mha")
    return [
        replaced(nrrd, b"(0,4,0)", b"(4,0,0)"),
        replaced(scan().save(folder / "zero.nrrd"), b"(0,4,0)", b"(0,0,0)"),
        replaced(mha, b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 1 0 0"),
        nifti(folder / "ct.nii", srow=(280, "12f", (0,) * 12)),
        nifti(folder / "same.nii", srow=(280, "12f", (-4, -4, 0, 30, 0, 0, 0, 20, 0, 0, 5, 100))),
    ]


@case(27, "spacing 0, negative or NaN", refused("E_SPACING"))
def no_spacing(folder):
    made = []
    for i, (text, value) in enumerate(((b"0", 0.0), (b"-4", -4.0), (b"nan", float("nan")))):
        made.append(replaced(scan().save(folder / f"{i}.mha"), b"ElementSpacing = 4", b"ElementSpacing = " + text))
        made.append(nifti(folder / f"{i}.nii.gz", pixdim=(80, "f", (value,))))
    return [*made, replaced(scan().save(folder / "ct.nrrd"), b"(0,0,5)", b"(0,0,nan)")]


@case(28, "huge spacing (25 mm)", refused("E_SPACING", says="25"))
def huge_spacing(folder):
    return in_every_format(folder, spacing=(4.0, 4.0, 25.0))


@case(29, "voxels much coarser along z than the model works at", exact(says="Voxels are 14 mm apart"))
def coarse(folder):
    return readable(folder, spacing=(4.0, 4.0, 14.0))


@case(30, "tiny spacing 0.05 mm (micro-CT)", refused("E_FOV"))
def micro(folder):
    return in_every_format(folder, spacing=(0.05, 0.05, 0.05))


@case(31, "pixels of 3.2 x 4.8 mm", exact())
def oblong(folder):
    return readable(folder, spacing=(3.2, 4.8, 5.0))


@case(32, "spacing in metres or centimetres", refused("E_FOV", says="mm"))
def metres(folder):
    (folder / "cm").mkdir()
    cm = in_every_format(folder / "cm", spacing=(0.4, 0.4, 0.5))
    return in_every_format(folder, spacing=(0.004, 0.004, 0.005)) + cm


@case(
    *(33, "2048 x 2048 x 2000 voxels: refused before memory is taken", refused("E_TOO_LARGE", says="GB")),
    session="Slicer's own reader takes the memory before the session is asked",
)
def enormous(folder):
    nrrd, mha = scan().save(folder / "ct.nrrd"), scan().save(folder / "ct.mha")
    return [
        replaced(nrrd, b"sizes: 28 24 24", b"sizes: 2048 2048 2000"),
        replaced(mha, b"DimSize = 28 24 24", b"DimSize = 2048 2048 2000"),
        nifti(folder / "ct.nii.gz", dim=(40, "4h", (3, 2048, 2048, 2000))),
    ]


@case(34, "MR without a modality, by its values", refused("E_HU_RANGE"))
def mr(folder):
    hu = body().astype(np.int32)
    return in_every_format(folder, voxels=np.where(hu < -900, 3, 300 + hu // 10).astype(np.int16))


@case(37, "HU without rescale (offset 1024)", refused("E_HU_OFFSET", says="1024"))
def no_rescale(folder):
    return in_every_format(folder, voxels=(body() + 1024).astype(np.int16))


@case(39, "8 bit, windowed or unsigned", refused("E_HU_RANGE", "E_HU_OFFSET"))
def windowed(folder):
    (folder / "u2").mkdir()
    window = ((body().clip(-160, 240) + 160) / 400 * 255).astype(np.uint8)
    unsigned = (body().astype(np.int32) + 1024).astype(np.uint16)
    return in_every_format(folder, voxels=window) + in_every_format(folder / "u2", voxels=unsigned)


@case(40, "float64, int32, big-endian", exact())
def other_types(folder):
    made = []
    for kind in ("f8", "i4", "f4"):
        (folder / kind).mkdir()
        made += readable(folder / kind, voxels=body().astype(kind))
    header = replaced(scan().save(folder / "big.nhdr"), b"endian: little", b"endian: big")
    (folder / "big.raw").write_bytes(body().astype(">i2").tobytes())
    return [*made, Given(header, scan())]


@case(41, "padding of -2000 or -3024 outside the field of view", exact())
def padding(folder):
    (folder / "b").mkdir()
    made = [np.where(body() <= -1000, value, body()).astype(np.int16) for value in (-2000, -3024)]
    return readable(folder, voxels=made[0]) + readable(folder / "b", voxels=made[1])


@case(42, "metal above 3071 HU, or wrapped to negative: no crash (the flag near an organ is the review's)", exact())
def metal(folder):
    bright, wrapped = body(), body()
    bright[:, 2:5, 12:16], wrapped[:, 2:5, 12:16] = 30000, -32768
    (folder / "b").mkdir()
    return readable(folder, voxels=bright) + readable(folder / "b", voxels=wrapped)

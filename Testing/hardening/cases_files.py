"""Bad and odd image files: NRRD, NIfTI, MetaImage. See ``table``."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import SimpleITK

from .scans import body, cut, replaced, scan
from .table import Given, case, exact, refused

FORMATS = ("nrrd", "nii.gz", "mha")


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

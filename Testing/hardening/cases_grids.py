"""Files whose voxels lie oddly or impossibly: axes, spacing, size. See ``table``."""

from __future__ import annotations

from .cases_files import in_every_format, nifti, readable
from .scans import LEFT_HANDED, OBLIQUE, replaced, scan
from .table import case, exact, refused

TILT = "not at right angles|tilt"


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

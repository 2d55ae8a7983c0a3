"""Bad and odd DICOM series. Names of files and patients hold a canary that no message may repeat. See ``table``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from Testing.harness.dicom import ct_slice, structure_set, write

from .scans import OBLIQUE, body, cut, scan
from .table import Given, case, exact, refused

PRONE = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))
FEET_FIRST = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
SAGITTAL = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))


def spoilt(folder: Path, name: str, spoil) -> Path:
    """The series after ``spoil(slices)``, which may return others."""
    slices = scan().slices()
    return write(folder / name, spoil(slices) or slices)


def for_all(slices: list[Dataset], **tags) -> None:
    for ds in slices:
        for name, value in tags.items():
            setattr(ds, name, value)


@case(3, "constant series", refused("E_NO_SIGNAL"))
def constant(folder):
    return scan().but(voxels=np.full((24, 24, 28), -1000, np.int16)).series(folder / "ct")


@case(4, "a single slice (ITK invents 1 mm)", refused("E_DIM"))
def single(folder):
    return spoilt(folder, "ct", lambda slices: slices[9:10])


@case(8, "phases of a 4D CT in one series", refused("E_DUPLICATE_POSITION", says="3 times"))
def phases(folder):
    return spoilt(folder, "ct", lambda slices: slices + scan().slices() + scan().slices())


@case(9, "enhanced multi-frame CT: always refused, never guessed", refused("E_MULTIFRAME"))
def multi_frame(folder):
    def frames(slices):
        one = slices[0]
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
        one.NumberOfFrames = 24
        one.PixelData = (body().astype(np.int32) + 1024).astype(np.uint16).tobytes()
        return [one]

    return spoilt(folder, "ct", frames)


@case(11, "pixel data of a slice cut short", refused("E_TRUNCATED"))
def short(folder):
    made = []
    for name, keep in (("a", 0.6), ("b", 0.999)):
        made.append(scan().series(folder / name))
        cut(sorted(made[-1].iterdir())[7], keep)
    return made


@case(15, "a slice missing in the middle", refused("E_MISSING_SLICE", says=r"1 slices.*140\.0 mm"))
def gap(folder):
    return spoilt(folder, "ct", lambda slices: slices[:9] + slices[10:])


@case(16, "slices missing at the end cannot be seen", exact())
def shorter(folder):
    return Given(spoilt(folder, "ct", lambda slices: slices[:-3]), scan().but(voxels=body()[:-3]))


@case(17, "variable slice spacing", refused("E_SPACING", says="5.00 to 7.50 mm"))
def uneven(folder):
    def lift(slices):
        for k, ds in enumerate(slices):
            ds.ImagePositionPatient = [-30, -20, 100 + 5 * k + (2.5 if k > 11 else 0)]

    return spoilt(folder, "ct", lift)


@case(18, "a slice position twice", refused("E_DUPLICATE_POSITION", says=r"110\.0 mm"))
def twice(folder):
    again = ct_slice(body()[2], (-30, -20, 110), (4.0, 4.0))
    return spoilt(folder, "ct", lambda slices: [*slices, again])


@case(19, "files in random order and with shuffled numbers", exact())
def shuffled(folder):
    order = np.random.default_rng(5).permutation(24)
    return Given(write(folder / "ct", [scan().slices()[i] for i in order], lambda k: f"{order[-k]}x{k}"), scan())


@case(20, "descending slice order", exact())
def descending(folder):
    return Given(spoilt(folder, "ct", lambda slices: slices[::-1]), scan())


@case(21, "gantry tilt", refused("E_TILT", "E_GEOMETRY", says="tilt"))
def tilt(folder):
    def lean(slices):
        for k, ds in enumerate(slices):
            ds.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(0.2)), float(np.sin(0.2))]
            ds.ImagePositionPatient = [-30, -20, 100 + 5 * k]

    return spoilt(folder, "ct", lean)


@case(23, "oblique series", exact())
def oblique(folder):
    made = scan().but(direction=OBLIQUE)
    return Given(made.series(folder / "ct"), made)


@case(24, "sagittal series", exact())
def sagittal(folder):
    made = scan().but(direction=SAGITTAL)
    return Given(made.series(folder / "ct"), made)


@case(31, "pixels of 3.2 x 4.8 mm", exact())
def oblong(folder):
    made = scan().but(spacing=(3.2, 4.8, 5.0))
    return Given(made.series(folder / "ct"), made)


@case(34, "MR series", refused("E_MODALITY", says="MR"))
def mr(folder):
    uid = "1.2.840.10008.5.1.4.1.1.4"
    return spoilt(folder, "mr", lambda slices: for_all(slices, Modality="MR", SOPClassUID=uid))


@case(35, "PET", refused("E_MODALITY", says="PT"))
def pet(folder):
    uid = "1.2.840.10008.5.1.4.1.1.128"
    return spoilt(folder, "pt", lambda slices: for_all(slices, Modality="PT", SOPClassUID=uid))


@case(
    35,
    "dose or contours alone, ultrasound",
    refused("E_READ", "E_LOCALISER"),
    session="Slicer loads no scalar CT from it",
)
def no_scan(folder):
    ultrasound = {"Modality": "US", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1"}
    return [
        write(folder / "rs", [structure_set()]),
        spoilt(folder, "dose", lambda slices: for_all(slices, Modality="RTDOSE")),
        spoilt(folder, "us", lambda slices: for_all(slices, **ultrasound)),
    ]


@case(36, "screenshots, scout in the series", refused("E_LOCALISER"))
def pictures(folder):
    capture = "1.2.840.10008.5.1.4.1.1.7"
    return [
        spoilt(folder, "sc", lambda slices: for_all(slices, SOPClassUID=capture)),
        spoilt(folder, "scout", lambda slices: for_all(slices[:1], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])),
    ]


@case(36, "derived images among original ones", refused("E_MIXED_SERIES"))
def derived(folder):
    return spoilt(folder, "ct", lambda slices: for_all(slices[3:5], ImageType=["DERIVED", "SECONDARY", "AXIAL"]))


@case(37, "CT without RescaleSlope and Intercept, or with slope 0", refused("E_HU_OFFSET", says="rescale"))
def no_rescale(folder):
    def strip(slices):
        for ds in slices:
            del ds.RescaleSlope, ds.RescaleIntercept

    return [spoilt(folder, "a", strip), spoilt(folder, "b", lambda slices: for_all(slices[4:5], RescaleSlope=0))]


@case(38, "another rescale in every slice", exact())
def own_rescale(folder):
    def rescale(slices):
        for k, (ds, hu) in enumerate(zip(slices, body(), strict=True)):
            ds.RescaleIntercept = -1024 - 10 * k
            ds.PixelData = (hu.astype(np.int32) + 1024 + 10 * k).astype(np.uint16).tobytes()

    return Given(spoilt(folder, "ct", rescale), scan())


@case(51, "prone, feet first", exact())
def turned(folder):
    prone, feet_first = scan().but(direction=PRONE), scan().but(direction=FEET_FIRST)
    return [Given(prone.series(folder / "p"), prone), Given(feet_first.series(folder / "f"), feet_first)]


@case(55, "two series, two frames of reference", refused("E_MIXED_SERIES"))
def mixed(folder):
    return [
        spoilt(folder, "a", lambda slices: for_all(slices[12:], SeriesInstanceUID="1.2.3.77")),
        spoilt(folder, "b", lambda slices: for_all(slices[12:], FrameOfReferenceUID="1.2.3.78")),
    ]


@case(62, "patient's name beyond ASCII", exact())
def foreign_name(folder):
    names = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "ZZCANARY^Zoë 山田"}
    return Given(spoilt(folder, "Ordner mit Lücken 患者", lambda slices: for_all(slices, **names)), scan())


@case(63, "a compression that nothing here decodes", refused("E_CODEC", says="JPEG 2000"), session=refused("E_CODEC"))
def compressed(folder):
    def pack(slices):
        for ds in slices:
            ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
            ds.PixelData = encapsulate([b"no picture at all, but even"])
            ds["PixelData"].is_undefined_length = True

    return spoilt(folder, "ct", pack)


@case(64, "deidentified: no type-2 tags, no frame of reference", exact(says="no frame of reference"), session=exact())
def deidentified(folder):
    def strip(slices):
        for ds in slices:
            for name in ("PatientName", "PatientID", "PatientBirthDate", "FrameOfReferenceUID", "SeriesDescription"):
                delattr(ds, name)

    return Given(spoilt(folder, "ct", strip), scan())


@case(65, "huge private tags", refused("E_UNSAFE", says="MB"), session="Slicer has read it: the danger is over")
def private_tags(folder):
    return spoilt(folder, "ct", lambda slices: slices[5].add_new(0x00091010, "UN", bytes(2**26 + 2)))

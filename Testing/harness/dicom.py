"""Synthetic DICOM series: CT Image Storage slices with chosen geometry, values and damage; canaries in patient tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

CANARY = "ZZCANARY"


def phantom(shape=(6, 16, 20)) -> NDArray[np.int16]:
    """HU that differ in every voxel: air, tissue and bone values."""
    return (np.arange(np.prod(shape), dtype=np.int32).reshape(shape) * 7 % 2500 - 1000).astype(np.int16)


def ct_slice(hu: NDArray, position, spacing=(2.0, 1.5), orientation=(1, 0, 0, 0, 1, 0), series: str = "") -> Dataset:
    """One CT slice: stored unsigned with slope 1 and intercept -1024; ``spacing`` is (rows, columns) as in DICOM."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.PatientID = f"{CANARY}^NAME", f"{CANARY}-ID"
    ds.SeriesDescription, ds.PatientBirthDate = f"{CANARY} DESCRIPTION", "19010101"
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.1", series or "1.2.3.2", "1.2.3.3"
    ds.Rows, ds.Columns = hu.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelSpacing, ds.ImageOrientationPatient = list(spacing), [float(v) for v in orientation]
    ds.ImagePositionPatient = [round(float(v), 6) for v in position]
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    ds.PixelData = (hu.astype(np.int32) + 1024).astype(np.uint16).tobytes()
    return ds


def stack(
    hu: NDArray, thickness: float = 3.0, origin=(-15.0, -20.0, 100.0), orientation=(1, 0, 0, 0, 1, 0)
) -> list[Dataset]:
    """A regular series: slice k lies ``k * thickness`` along the normal from ``origin``."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [ct_slice(s, np.asarray(origin) + k * thickness * normal, orientation=orientation) for k, s in enumerate(hu)]


def write(folder: Path, slices: list[Dataset], name: Callable[[int], str] = lambda k: f"{CANARY}{k:03d}.dcm") -> Path:
    """Write the slices into a (new) folder. File names hold the canary too."""
    folder.mkdir(exist_ok=True)
    for k, ds in enumerate(slices):
        ds.InstanceNumber = k + 1
        ds.save_as(folder / name(k), enforce_file_format=True)
    return folder


def structure_set() -> Dataset:
    """An RTSTRUCT without contours: no rows, no pixels."""
    ds = ct_slice(np.zeros((2, 2)), (0, 0, 0))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = RTStructureSetStorage
    ds.Modality = "RTSTRUCT"
    for tag in ("Rows", "Columns", "PixelData", "SamplesPerPixel", "PhotometricInterpretation", "ImagePositionPatient"):
        delattr(ds, tag)
    return ds

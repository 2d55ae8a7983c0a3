"""An uploaded file as a scan: its kind, a zip's slices under names of our own, then the checks of every input."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO

from ..errors import InputRefused
from ..mask import Mask
from ..volume import Volume

SEGMENTATION = ".seg.nrrd"
SUFFIXES = (SEGMENTATION, ".nrrd", ".nii", ".nii.gz", ".mha", ".zip")
MAX_SLICES = 5000
_PIECE = 1 << 20


def kind_of(name: str) -> str:
    """The suffix of a client's file name, one of SUFFIXES; nothing else of that name is used.

    Raises
    ------
    InputRefused : ``E_FORMAT``.
    """
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), "")
    if not suffix:
        raise InputRefused(
            "E_FORMAT", "Files of this kind cannot be read. Choose NRRD, NIfTI, MetaImage or a zip of a DICOM series."
        )
    return suffix


def read_upload(file: Path, limit_bytes: int = 2**32) -> Volume:
    """Read a file that the front has received; its folder is deleted as soon as its voxels are in memory, or refused.

    Parameters
    ----------
    file : named by the front, in a folder of its own. limit_bytes : how large a zip may become when it is unpacked.
    """
    from ..io import read_volume

    try:
        if file.suffix != ".zip":
            return read_volume(file)
        unpack(file, file.with_suffix(""), limit_bytes)
        return read_volume(file.with_suffix(""))
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def read_upload_onto(file: Path, volume: Volume) -> list[Mask]:
    """The same for a segmentation, on the grid of the scan that it belongs to."""
    from ..outputs.segread import read_segmentation

    try:
        return read_segmentation(file, volume.geometry)
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def unpack(file: Path, folder: Path, limit_bytes: int) -> None:
    """Write the files of a zip into a new folder as 00000.dcm, 00001.dcm, ...: its own names are never used.

    What is counted are the bytes that come out, not what the zip says of itself.

    Raises
    ------
    InputRefused : ``E_ZIP`` no zip, damaged, encrypted, or nothing in it; ``E_TOO_LARGE`` too many files or bytes.
    """
    folder.mkdir(mode=0o700)
    left = limit_bytes
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) > MAX_SLICES:
                raise InputRefused("E_TOO_LARGE", f"The zip holds {len(entries)} files; at most {MAX_SLICES} can be.")
            for number, entry in enumerate(entries):
                with archive.open(entry) as packed, (folder / f"{number:05d}.dcm").open("wb") as out:
                    left -= _copy(packed, out, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise InputRefused("E_ZIP", "The file is no zip file, or it is damaged or encrypted. Zip it again.") from None
    if not entries:
        raise InputRefused("E_ZIP", "The zip file is empty. Zip the folder that holds the slices.")


def _copy(packed: IO[bytes], out: IO[bytes], left: int) -> int:
    """Bytes copied; stops with an error as soon as there are more than ``left``."""
    copied = 0
    while piece := packed.read(_PIECE):
        copied += len(piece)
        if copied > left:
            raise InputRefused("E_TOO_LARGE", "The zip becomes too large when it is unpacked. Send one series only.")
        out.write(piece)
    return copied

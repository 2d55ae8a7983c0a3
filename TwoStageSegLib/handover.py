"""How voxels and masks pass between two processes: ``.npy`` files in a private folder that the client owns.

A raw ``.npy`` is written and mapped about fifty times faster than a compressed image, and carries no patient data but
the voxels. The folder is readable by its owner only, and each file is deleted as soon as the other side has it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry
from .mask import Mask
from .messages import GridMessage, Open, Organ, ProtocolError
from .pipeline import OrganResult
from .region import Region
from .volume import Volume

PREFIX = "twostageseg-"
PLAIN_NAME = re.compile(r"[a-z0-9-]{1,60}\.npy")


def private_folder() -> Path:
    """A new empty folder, mode 0700."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def remove_private_folder(folder: Path) -> None:
    """Delete a private folder and what is in it; anything else is left alone, whatever a message says."""
    if folder.name.startswith(PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def put_volume(folder: Path, number: int, volume: Volume) -> Open:
    """Write a volume's voxels; the returned command tells the worker to take them."""
    name = f"voxels-{number}.npy"
    np.save(folder / name, volume.voxels, allow_pickle=False)
    return Open(name, GridMessage.of(volume.geometry), volume.modality)


def take_volume(folder: Path, command: Open) -> Volume:
    """The volume behind an ``Open`` command, mapped and not read: pages come in as they are needed."""
    voxels = np.load(_file(folder, command.voxels), mmap_mode="r", allow_pickle=False)
    return Volume(np.asarray(voxels), command.grid.geometry(), command.modality)


def put_organ(folder: Path, run: int, number: int, result: OrganResult) -> Organ:
    """Write the mask crop, if there is one, of a run's organ ``number``; the returned event tells the client."""
    name, start, touches = None, [0, 0, 0], False
    if result.mask is not None:
        name = f"mask-{run}-{number}.npy"
        np.save(folder / name, result.mask.voxels, allow_pickle=False)
        start, touches = [int(s) for s in result.mask.start_zyx], result.mask.touches_edge
    return Organ(run, result.organ, result.region.as_json(), name, start, touches, result.seconds)


def take_organ(folder: Path, event: Organ, geometry: Geometry) -> OrganResult:
    """The result behind an ``Organ`` event; its file is read and deleted."""
    mask = None
    if event.mask is not None:
        file = _file(folder, event.mask)
        voxels: NDArray[np.bool_] = np.load(file, allow_pickle=False)
        file.unlink()
        z, y, x = event.start_zyx
        mask = Mask(event.organ, voxels, (z, y, x), geometry, event.touches_edge)
    return OrganResult(event.organ, Region.from_json(event.region), mask, event.seconds)


def _file(folder: Path, name: str) -> Path:
    """A file of the private folder: a message can name nothing else on the disk."""
    if not PLAIN_NAME.fullmatch(name):
        raise ProtocolError(f"{name[:40]!r} is not the name of a hand-over file.")
    return folder / name

"""How voxels and masks pass between two processes: ``.npy`` files in a private folder that the client owns.

A raw ``.npy`` is written and mapped about fifty times faster than a compressed image, and carries no patient data but
the voxels. The folder is readable by its owner only, and each file is deleted as soon as the other side has it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import TwoStageSegError
from .geometry import Geometry
from .leftovers import abandoned, held_folder, remove_held
from .mask import Mask
from .messages import GridMessage, Open, Organ, ProtocolError, Review
from .pipeline import OrganResult
from .region import Region
from .review.findings import OrganReview
from .volume import Volume

PREFIX = "twostageseg-"
UNREADABLE = (OSError, ValueError, EOFError, KeyError, TypeError, IndexError, TwoStageSegError)
"""What reading a result can raise if its file is gone or damaged."""
LOST_RESULT = "A result of the worker could not be read: its temporary file is gone or damaged. Run again."
PLAIN_NAME = re.compile(r"[a-z0-9-]{1,60}\.npy")


def private_folder() -> Path:
    """A new empty folder, mode 0700. Those that killed programs have left behind are removed first."""
    for folder in abandoned(PREFIX):
        remove_private_folder(folder)
    try:
        return held_folder(PREFIX)
    except OSError as error:
        raise _disk(error) from None


def remove_private_folder(folder: Path) -> None:
    """Delete a private folder and what is in it; anything else is left alone, whatever a message says."""
    if folder.name.startswith(PREFIX):
        remove_held(folder)


def put_volume(folder: Path, number: int, volume: Volume) -> Open:
    """Write a volume's voxels; the returned command tells the worker to take them."""
    name = f"voxels-{number}.npy"
    _save(folder / name, volume.voxels)
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
        _save(folder / name, result.mask.voxels)
        start, touches = [int(s) for s in result.mask.start_zyx], result.mask.touches_edge
    review = None if result.review is None else result.review.as_json()
    return Organ(run, result.organ, result.region.as_json(), name, start, touches, result.seconds, review)


def take_organ(folder: Path, event: Organ, geometry: Geometry) -> OrganResult:
    """The result behind an ``Organ`` event; its file is read and deleted."""
    mask = None
    if event.mask is not None:
        file = _file(folder, event.mask)
        voxels: NDArray[np.bool_] = np.load(file, allow_pickle=False)
        file.unlink()
        z, y, x = event.start_zyx
        mask = Mask(event.organ, voxels, (z, y, x), geometry, event.touches_edge)
    review = None if event.review is None else OrganReview.from_json(event.review)
    return OrganResult(event.organ, Region.from_json(event.region), mask, event.seconds, review)


def put_review(folder: Path, number: int, mask: Mask, region: Region) -> Review:
    """Write an edited mask; the returned command has the worker judge it."""
    name = f"edited-{number}.npy"
    _save(folder / name, mask.voxels)
    return Review(number, mask.organ, region.as_json(), name, [int(s) for s in mask.start_zyx])


def take_review(folder: Path, command: Review, geometry: Geometry) -> tuple[Mask, Region]:
    """The mask and region behind a ``Review`` command; its file is read and deleted."""
    file = _file(folder, command.mask)
    voxels: NDArray[np.bool_] = np.load(file, allow_pickle=False)
    file.unlink()
    if voxels.dtype != np.bool_ or voxels.ndim != 3 or len(command.start_zyx) != 3:
        raise ProtocolError("An edited mask must be a crop of a volume.")
    z, y, x = command.start_zyx
    return Mask(command.organ, voxels, (z, y, x), geometry), Region.from_json(command.region)


def _save(file: Path, array: NDArray) -> None:
    """An array as ``.npy``, whole or not at all."""
    try:
        np.save(file, array, allow_pickle=False)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _disk(error) from None


def _disk(error: OSError) -> TwoStageSegError:
    reason = error.strerror or "no space left"  # numpy writes without a number for the reason
    return TwoStageSegError("E_DISK", f"The folder for temporary files cannot be written ({reason}). Free disk space.")


def _file(folder: Path, name: str) -> Path:
    """A file of the private folder: a message can name nothing else on the disk."""
    if not PLAIN_NAME.fullmatch(name):
        raise ProtocolError(f"{name[:40]!r} is not the name of a hand-over file.")
    return folder / name

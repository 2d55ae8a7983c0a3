"""Images and label images as data sets hold them: one channel of many, label values by name, the same grid checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.io import read_volume
from TwoStageSegLib.io.files import grid_of
from TwoStageSegLib.io.plausible import check_scan
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.volume import Volume

OFF_GRID = 0.02  # voxels: what rounding of headers may shift a grid by


def read_image(path: Path, modality: str) -> Volume:
    """The image of a case; of a 4D file (several sequences in one, as MSD has them) the first channel."""
    try:
        volume = read_volume(path)
    except InputRefused as error:
        if error.code != "E_4D":
            raise
        volume = _first_channel(path)
    return replace(volume, modality=volume.modality or modality)


def read_labels(path: Path, onto: Geometry, values: Mapping[str, Sequence[int]]) -> tuple[list[Mask], list[str]]:
    """The organs of a label image on the grid of its case, and what was odd.

    Parameters
    ----------
    values : label values of each organ; several make one organ of them.

    Raises
    ------
    InputRefused : E_GRID if the label image has other voxels than the image, E_SEG if it holds fractions.
    """
    try:
        volume = read_volume(path)
    except InputRefused as error:
        if error.code != "E_NO_SIGNAL":  # one value everywhere: nothing is contoured
            raise
        return [], ["nothing is labelled"]
    check_same_grid(volume.geometry, onto, path.name)
    labels = np.rint(volume.voxels)
    if volume.voxels.dtype.kind == "f" and np.abs(labels - volume.voxels).max() > 1e-3:
        raise InputRefused("E_SEG", f"{path.name} holds fractions, not labels. Give the label image.")
    masks = [_mask(organ, np.isin(labels, list(wanted)), onto) for organ, wanted in values.items()]
    known = {v for wanted in values.values() for v in wanted} | {0}
    left = sorted({int(v) for v in np.unique(labels)} - known)
    return [m for m in masks if not m.empty], [f"label {v} has no name and is left out" for v in left]


def read_mask(path: Path, onto: Geometry, organ: str) -> Mask:
    """One organ's own mask file (anything but 0 is the organ); empty if nothing is drawn."""
    try:
        volume = read_volume(path)
    except InputRefused as error:
        if error.code != "E_NO_SIGNAL":
            raise
        return _mask(organ, np.zeros(onto.shape_zyx, bool), onto)
    check_same_grid(volume.geometry, onto, path.name)
    return _mask(organ, volume.voxels != 0, onto)


def check_same_grid(labels: Geometry, image: Geometry, name: str) -> None:
    """Refuse labels whose voxels are not the image's, to a fiftieth of a voxel."""
    corners = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)]) * (np.array(image.shape_zyx) - 1)
    same = labels.shape_zyx == image.shape_zyx
    if same:
        same = bool(np.abs(labels.lps_to_index(image.index_to_lps(corners)) - corners).max() <= OFF_GRID)
    if not same:
        raise InputRefused("E_GRID", f"The voxels of {name} are not those of its image. Resample it to the image.")


def _mask(organ: str, inside: NDArray[np.bool_], geometry: Geometry) -> Mask:
    return Mask(organ, inside, (0, 0, 0), geometry).trimmed()


def _first_channel(path: Path) -> Volume:
    """Read by ITK, which knows 4D but does not notice a file that ends early."""
    import SimpleITK

    image = SimpleITK.ReadImage(str(path))
    if image.GetDimension() != 4:
        raise InputRefused("E_4D", f"{path.name} has {image.GetDimension()} dimensions; save one channel as 3D.")
    one = image[:, :, :, 0]
    volume = Volume(SimpleITK.GetArrayFromImage(one), grid_of(one))
    check_scan(volume)
    return volume

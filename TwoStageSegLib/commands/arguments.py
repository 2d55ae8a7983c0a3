"""What the user typed, checked and turned into the types of the engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..model import Model
from ..region import Region


def check_organs(model: Model, organs: Sequence[str] | None) -> tuple[str, ...]:
    """The organs asked for in the model's order (None: all). Raises UsageError on one that the model lacks."""
    known = model.manifest.organ_names
    for name in organs or ():
        if name not in known:
            raise UsageError("E_ORGAN", f"The model {model.name} has no organ {name!r}. It has: {', '.join(known)}.")
    return known if not organs else tuple(name for name in known if name in organs)


def regions_from(centres: Sequence[str], boxes: Sequence[str], organs: Sequence[str]) -> dict[str, Region]:
    """``--centre`` and ``--box`` values as regions by organ.

    Parameters
    ----------
    centres, boxes : ``[NAME=]`` and 3 or 6 numbers, LPS mm. The name may be left out if ``organs`` holds one only.
    organs : the organs asked for.
    """
    regions: dict[str, Region] = {}
    for option, count, values in (("--centre", 3, centres), ("--box", 6, boxes)):
        for text in values:
            organ, numbers = _split(option, text, count, organs)
            if organ in regions:
                raise UsageError("E_TWICE", f"{organ} has two locations. Give one centre or one box per organ.")
            regions[organ] = Region.click(organ, numbers) if count == 3 else Region.box(organ, numbers)
    return regions


def _split(option: str, text: str, count: int, organs: Sequence[str]) -> tuple[str, list[float]]:
    name, mark, rest = text.rpartition("=")
    if not mark and len(organs) != 1:
        raise UsageError("E_NAME", f"{option} {text}: say which organ, for example {option} {organs[0]}={text}.")
    organ = name.strip() if mark else organs[0]
    if organ not in organs:
        raise UsageError(
            "E_NAME", f"{option} {text}: {organ!r} is not among the organs asked for: {', '.join(organs)}."
        )
    try:
        numbers = [float(v) for v in rest.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        wanted = "X,Y,Z" if count == 3 else "X0,X1,Y0,Y1,Z0,Z1"
        raise UsageError(
            "E_NUMBERS", f"{option} {text}: {count} numbers are needed, {wanted} in LPS mm, without spaces."
        )
    return organ, numbers


def default_output(ct: str) -> Path:
    """``<CT>.seg.nrrd`` in the current folder, where <CT> is the image's file or folder name without its suffix."""
    name = _resolved(ct).name
    for suffix in (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return Path(f"{name or 'segmentation'}.seg.nrrd")


def check_outputs(outputs: Sequence[str | Path | None], ct: str | None, overwrite: bool) -> None:
    """Refuse, before anything is computed, outputs that would destroy something or cannot be written.

    Raises
    ------
    UsageError : E_EXISTS, E_SAME (two outputs, or output and input, are one file).
    InputRefused : E_OUTPUT, the folder is missing or not writable.
    """
    from ..outputs.atomic import refuse_unwritable

    taken = {} if ct is None else {_resolved(ct): "the input"}
    for output in outputs:
        if output is None:
            continue
        path = _resolved(output)
        if path in taken:
            raise UsageError("E_SAME", f"{output} is also {taken[path]}. Choose another name.")
        taken[path] = "another output"
        refuse_unwritable(path)
        if path.exists() and not overwrite:
            raise UsageError("E_EXISTS", f"{output} exists. Choose another name, or allow it with --overwrite.")


def _resolved(path: str | Path) -> Path:
    """The real path; of one that no file can have (too long, a null byte), the path as it stands."""
    try:
        return Path(path).resolve()
    except (OSError, ValueError):
        return Path(os.path.abspath(path))  # noqa: PTH100


def check_suffix(output: str | Path, suffix: str) -> None:
    """Slicer and others choose the reader by the name's ending, so a wrong one would make a file nobody can open."""
    if not str(output).lower().endswith(suffix):
        raise UsageError("E_SUFFIX", f"{output} must end in {suffix}.")

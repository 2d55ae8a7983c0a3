"""From a data set as researchers have it to prepared cases: one path for every layout.

What is written beside the cases: ``split-NAME.json`` (see ``split``) and ``dataset-NAME.json``, which says what the set
is, what was odd and what was left out. Two sets may share a folder (papers/000 trains on SegTHOR and LCTSC together).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from TwoStageSegLib.errors import InputRefused, TwoStageSegError, UsageError
from TwoStageSegLib.io import check_ct
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.atomic import atomic_file

from .prepared import write_case
from .published import Published
from .raw import Labelled, RawCase
from .split import Shares, Split, draw_split, read_split, write_split

KEPT = 0.95  # share of its voxels that an organ must keep where it overlaps others
CUT = 0.5  # stands for "part of it lies outside the scan, nobody knows how much"
Notices = dict[str, list[str]]


@dataclass(frozen=True)
class Dataset:
    """What is written about a prepared set. ``left_out`` and ``notices`` by case."""

    name: str
    modality: str
    organs: list[str]
    seed: int
    title: str = ""
    licence: str = ""
    attribution: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notices: Notices = field(default_factory=dict)


def convert(
    cases: Iterable[RawCase],
    spec: Published,
    target: Path,
    name: str,
    shares: Shares,
    organs: Sequence[str] = (),
    split_file: Path | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> Dataset:
    """Write every case that can be read into ``target``; the others are left out with their reason.

    Parameters
    ----------
    organs : only these; all if empty. split_file : parts to keep to. said : is told each line of progress.

    Raises
    ------
    UsageError : E_CASES if no case could be read, or a wanted organ is in none.
    """
    everything = list(cases)
    split = _split([c.name for c in everything], spec, target, name, shares, split_file)
    left_out: dict[str, str] = {}
    notices: Notices = {}
    touching: dict[str, list[tuple[str, bool]]] = {}
    for case in everything:
        try:
            labelled = case.read()
            cut = _write(target / _folder(case.name), case.name, split[case.name], labelled, organs)
        except TwoStageSegError as error:
            left_out[case.name] = str(error)
            said(f"{case.name}: left out. {error}")
            continue
        for organ, at_end in cut.items():
            touching.setdefault(organ, []).append((case.name, at_end))
        if labelled.notices:
            notices[case.name] = labelled.notices
        said(f"{case.name}: {', '.join(cut)} ({split[case.name]})")
    if not touching:
        first = next(iter(left_out.values()), "It holds no cases.")
        raise UsageError("E_CASES", f"No case could be prepared. The first reason: {first}")
    if missing := sorted(set(organs) - set(touching)):
        raise UsageError("E_ORGAN", f"No case holds {missing[0]!r}. It holds: {', '.join(sorted(touching))}.")
    for organ in touching:
        _mark_cut(target, organ, touching[organ])
    modality = _modality(target, touching)
    about = Dataset(
        name, modality, sorted(touching), shares.seed, spec.title, spec.licence, spec.attribution, spec.references,
        left_out, notices,
    )  # fmt: skip
    write_split(target / f"split-{name}.json", {c: p for c, p in split.items() if c not in left_out})
    with atomic_file(target / f"dataset-{name}.json") as temporary:
        temporary.write_text(json.dumps(asdict(about), indent=1) + "\n", encoding="utf-8")
    return about


def _split(
    names: list[str], spec: Published, target: Path, name: str, shares: Shares, split_file: Path | None
) -> Split:
    folders = [_folder(n) for n in names]
    if len(set(folders)) < len(folders):
        raise UsageError("E_LAYOUT", "Two cases would have the same name. Rename one of them.")
    target.mkdir(parents=True, exist_ok=True)
    written = target / f"split-{name}.json"
    fixed = read_split(split_file) if split_file else read_split(written) if written.is_file() else {}
    if split_file and not set(fixed) & set(names):
        raise UsageError("E_SPLIT", f"{split_file.name} names no case of this data set, as {names[0]!r} is one.")
    return draw_split(names, spec.patient_of, spec.is_test, shares, fixed)


def _write(folder: Path, name: str, split: str, labelled: Labelled, only: Sequence[str]) -> dict[str, bool]:
    """Write one case; which organs it has, and whether each reaches the first or last slice of the scan."""
    volume, masks = labelled.volume, [m for m in labelled.masks if not m.empty and (not only or m.organ in only)]
    if not masks:
        raise InputRefused("E_NO_ORGAN", "None of the organs is contoured in it.")
    if volume.modality not in ("CT", "MR"):
        raise UsageError("E_MODALITY", "The files do not say what kind of image they are. Give --modality CT or MR.")
    if volume.modality == "CT":
        check_ct(volume)
    organs = [m.organ for m in masks]
    labels = labels_of(masks, volume.geometry.shape_zyx)
    standard = volume.standard
    labels = np.ascontiguousarray(standard.axis_map.to_standard(labels))
    whole = dict.fromkeys(organs, 1.0)
    spacing = standard.geometry.spacing_zyx_mm
    write_case(folder, name, split, "", standard.voxels, labels, spacing, organs, whole, (), volume.modality)
    return {o: bool((labels[[0, -1]] == i).any()) for i, o in enumerate(organs, 1)}


def labels_of(masks: Sequence[Mask], shape_zyx: tuple[int, int, int]) -> NDArray[np.uint8]:
    """One label image ``(z, y, x)`` of all masks, value 1 + position. Where two overlap the smaller one stays.

    Raises
    ------
    InputRefused : E_OVERLAP if an organ would lose more than a twentieth of itself.
    """
    labels = np.zeros(shape_zyx, np.uint8)
    for i in sorted(range(len(masks)), key=lambda k: -int(np.count_nonzero(masks[k].voxels))):
        labels[masks[i].slices_zyx][masks[i].voxels] = i + 1
    for i, mask in enumerate(masks):
        left = int(np.count_nonzero(labels[mask.slices_zyx][mask.voxels] == i + 1))
        if left < KEPT * np.count_nonzero(mask.voxels):
            raise InputRefused(
                "E_OVERLAP",
                f"{mask.organ} shares {1 - left / np.count_nonzero(mask.voxels):.0%} of itself with smaller organs. "
                "Leave out one of them with --organs.",
            )
    return labels


def _mark_cut(target: Path, organ: str, cases: list[tuple[str, bool]]) -> None:
    """An organ that usually ends inside the scan is cut where it does not; one that usually runs out of it (a cord) is
    meant as far as the scan goes."""
    if sum(at_end for _, at_end in cases) * 2 >= len(cases):
        return
    for name in (case for case, at_end in cases if at_end):
        path = target / _folder(name) / "case.json"
        text = json.loads(path.read_text(encoding="utf-8"))
        text["known"][organ]["fraction"] = CUT
        path.write_text(json.dumps(text, indent=1), encoding="utf-8")


def _modality(target: Path, touching: Mapping[str, list[tuple[str, bool]]]) -> str:
    """The one kind of image of all cases. Raises UsageError (E_MODALITY) if there are two."""
    names = {name for cases in touching.values() for name, _ in cases}
    kinds = {json.loads((target / _folder(n) / "case.json").read_text(encoding="utf-8"))["modality"] for n in names}
    if len(kinds) > 1:
        raise UsageError(
            "E_MODALITY", "The data set holds CT and MR. Prepare them one by one, into folders of their own."
        )
    return kinds.pop()


def _folder(name: str) -> str:
    """A case's name as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "case"

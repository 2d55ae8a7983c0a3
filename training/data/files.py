"""Data sets of image and label files whose places follow a pattern, such as ``{case}/img{ext}``.

``{case}`` is the case's name (the same wherever it stands), ``{ext}`` any kind of image file, ``{organ}`` a name in one
of many mask files. Labels may be one label image, a Slicer segmentation (``.seg.nrrd``) or a mask file per organ.
Patterns are looked for anywhere below the folder, so it does not matter how much of a path the download brought along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.geometry import Geometry
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.outputs.segread import read_segments
from TwoStageSegLib.structures import structures

from .images import read_image, read_labels, read_mask
from .names import mapping
from .published import Published
from .raw import Labelled, RawCase

EXTENSIONS = r"(?:\.nii\.gz|\.nii|\.nrrd|\.nhdr|\.mha|\.mhd)"
SEGMENTATION = ".seg.nrrd"
Names = dict[str, str]


def cases(source: Path, spec: Published, names: Names | None = None) -> Iterator[RawCase]:
    """Every case of which image and labels are there, by name.

    Parameters
    ----------
    names : organ of each label as the data set calls it; goes before ``spec.organs``.

    Raises
    ------
    UsageError : E_LAYOUT if no file fits the pattern, or a case has two images.
    """
    files = sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file() and p.name[:1] != ".")
    segmentations = spec.labels.endswith(SEGMENTATION)
    images: dict[str, str] = {}
    for file, found in matches(files, spec.image):
        if file.endswith(SEGMENTATION):
            continue
        if found["case"] in images:
            raise UsageError("E_LAYOUT", f"Case {found['case']!r} has two images, {images[found['case']]} and {file}.")
        images[found["case"]] = file
    labels: dict[str, list[tuple[str, str]]] = {}
    for file, found in matches(files, spec.labels):
        labels.setdefault(found["case"], []).append((found.get("organ", ""), file))
    both = [case for case in images if case in labels]
    if not both:
        raise UsageError(
            "E_LAYOUT", f"No case in {source.name} has both an image like {spec.image} and labels like {spec.labels}."
        )
    for case in both:
        parts = [(organ, source / file) for organ, file in labels[case]]
        yield RawCase(case, partial(_read, source / images[case], parts, spec, segmentations, names or {}))


def matches(files: Sequence[str], pattern: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The files that end as the pattern says, with what its placeholders stand for."""
    text, seen = r"(?:.*/)?", set()
    for part in re.split(r"(\{\w+\})", pattern):
        name = part[1:-1]
        if part == "{ext}":
            text += EXTENSIONS
        elif part in ("{case}", "{organ}"):
            text += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        elif part.startswith("{"):
            raise UsageError("E_LAYOUT", f"The pattern {pattern!r} may hold {{case}}, {{organ}} and {{ext}} only.")
        else:
            text += re.escape(part)
    if "case" not in seen:
        raise UsageError("E_LAYOUT", f"The pattern {pattern!r} must hold {{case}}.")
    for file in files:
        if found := re.fullmatch(text, file):
            yield file, found.groupdict()


def _read(image: Path, parts: list[tuple[str, Path]], spec: Published, segmentation: bool, names: Names) -> Labelled:
    volume = read_image(image, spec.modality)
    if parts[0][0]:
        wanted = chosen([organ for organ, _ in parts], spec.organs, names)
        files = dict(parts)
        found = [read_mask(files[own[0]], volume.geometry, organ) for organ, own in wanted.items()]
        return Labelled(volume, [m for m in found if not m.empty])
    path = parts[0][1]
    if segmentation:
        return Labelled(volume, _segments(path, volume.geometry, spec, names))
    values = spec.organs or {organ: [value] for value, organ in names.items()}
    if not values:
        raise UsageError("E_NAMES", f"{path.name} holds numbers: say what they are, as --names 1=Spleen 2=Liver.")
    masks, notices = read_labels(path, volume.geometry, {o: [int(v) for v in own] for o, own in values.items()})
    return Labelled(volume, masks, notices)


def chosen(there: Sequence[str], organs: Mapping[str, Sequence[str]], names: Names) -> dict[str, list[str]]:
    """Which of the labels that are there make each organ."""
    if organs and not names:
        found = {organ: [t for t in there if t.lower() in {o.lower() for o in own}] for organ, own in organs.items()}
        return {organ: own for organ, own in found.items() if own}
    return {organ: [name] for organ, name in mapping(there, names).items()}


def _segments(path: Path, geometry: Geometry, spec: Published, names: Names) -> list[Mask]:
    """The segments of a Slicer segmentation; a segment that carries a structure's code is that structure."""
    segments = [s for s in read_segments(path, onto=geometry) if not s.mask.empty]
    coded = {s.mask.organ: _coded(s.tags.get("TerminologyEntry", "")) for s in segments}
    wanted = chosen([s.mask.organ for s in segments], spec.organs, {k: v for k, v in coded.items() if v} | names)
    by_name = {s.mask.organ: s.mask for s in segments}
    return [renamed(by_name[own[0]], organ) for organ, own in wanted.items()]


def renamed(mask: Mask, organ: str) -> Mask:
    return Mask(organ, mask.voxels, mask.start_zyx, mask.geometry)


def _coded(entry: str) -> str:
    """The structure whose type and side a terminology entry names; "" for Slicer's generic "Tissue" and the like."""

    def codes(text: str) -> list[tuple[str, ...]]:
        return [tuple(triplet.split("^")[:2]) for triplet in text.split("~")[2:4]]  # type and side, without their words

    found = codes(entry)
    return next((s.name for s in structures().values() if found and codes(s.terminology) == found), "")

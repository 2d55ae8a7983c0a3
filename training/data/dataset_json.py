"""Folders with ``dataset.json``: the Medical Segmentation Decathlon's, and nnU-Net's raw data (version 1 and 2).

MSD and nnU-Net 1 list the cases and write labels as ``{"1": "liver"}``; nnU-Net 2 writes ``{"liver": 1}`` (or a list of
values for a region), and its images carry a channel number: ``imagesTr/CASE_0000.nii.gz``. Of several channels the
first is read. A test set without labels (``imagesTs``) cannot be measured on and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.strict_json import StrictError, loads

from .files import EXTENSIONS, Names
from .images import read_image, read_labels
from .names import mapping
from .published import MSD, Published, published
from .raw import Labelled, RawCase


@dataclass(frozen=True)
class Listing:
    """What ``dataset.json`` says: label values by name, and image and label of every labelled case."""

    name: str
    modality: str
    labels: dict[str, list[int]]
    files: dict[str, tuple[Path, Path]]
    licence: str
    reference: str


def spec_of(source: Path) -> Published:
    """The preset of a Decathlon task, or what ``dataset.json`` itself says."""
    listing = read_listing(source)
    known = published().get(MSD + listing.name.lower())
    if known is not None and _fits(known.organs, listing.labels):
        return known
    return Published(
        title=listing.name or source.name,
        modality=listing.modality,
        layout="json",
        licence=listing.licence,
        attribution=[listing.reference] if listing.reference else [],
    )


def cases(source: Path, spec: Published, names: Names | None = None) -> Iterator[RawCase]:
    """Every labelled case, by name; organs as in ``files.cases``."""
    listing = read_listing(source)
    values = organ_values(listing.labels, spec, names or {})
    for case, (image, labels) in sorted(listing.files.items()):
        yield RawCase(case, partial(_read, image, labels, listing.modality or spec.modality, values))


def organ_values(labels: Mapping[str, list[int]], spec: Published, names: Names) -> dict[str, list[int]]:
    """Label values of each organ. Labels that are called background or ignore are none."""
    if spec.organs and not names:
        lower = {name.lower(): own for name, own in labels.items()}
        return {organ: [v for t in own for v in lower[t.lower()]] for organ, own in spec.organs.items()}
    return {organ: labels[name] for organ, name in mapping(labels, names).items()}


def read_listing(source: Path) -> Listing:
    """Read ``dataset.json`` and find the files of its training cases.

    Raises
    ------
    UsageError : E_LAYOUT if it is not there, not JSON, names no labels or no case of it is there.
    """
    path = source / "dataset.json"
    if not path.is_file():
        raise UsageError("E_LAYOUT", f"{source.name} holds no dataset.json. Give the folder that does.")
    try:
        raw = loads(path.read_bytes())
        labels = _labels(raw["labels"])
        channels = raw.get("channel_names", raw.get("modality", {}))
        files = _listed(source, raw) or _found(source)
    except (StrictError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError("E_LAYOUT", f"dataset.json cannot be understood ({str(error)[:100]}).") from None
    if not files:
        raise UsageError("E_LAYOUT", f"{source.name} holds no image with labels in imagesTr and labelsTr.")
    first = str(channels.get("0", "")) if isinstance(channels, dict) else ""
    modality = "CT" if first.upper() == "CT" else "MR" if first else ""
    texts = [str(raw.get(key, "") or "") for key in ("name", "licence", "license", "reference")]
    return Listing(texts[0], modality, labels, files, texts[1] or texts[2], texts[3])


def _labels(raw: dict[str, Any]) -> dict[str, list[int]]:
    """Values by name from either way of writing them."""
    found: dict[str, list[int]] = {}
    for key, value in raw.items():
        name, values = (value, [int(key)]) if isinstance(value, str) else (key, value)
        own = [int(v) for v in (values if isinstance(values, list) else [values])]
        if name.lower() == "ignore":
            raise ValueError("it has an 'ignore' label: organs are known or unknown as a whole here; remove it")
        if own != [0] and name.lower() != "background":
            found[name] = own
    if not found:
        raise ValueError("it names no labels")
    return found


def _listed(source: Path, raw: dict[str, Any]) -> dict[str, tuple[Path, Path]]:
    """The cases that it lists: MSD's ``training``, nnU-Net 2's ``dataset``."""
    found: dict[str, tuple[Path, Path]] = {}
    for entry in raw.get("training", None) or []:
        image, labels = (source / entry[key] for key in ("image", "label"))
        if not image.is_file():  # nnU-Net 1 lists the image without its channel
            image = next(iter(_with_channel(image)), image)
        if image.is_file() and labels.is_file():
            found[_stem(labels.name)] = (image, labels)
    for case, entry in (raw.get("dataset", None) or {}).items():
        found[case] = (source / entry["images"][0], source / entry["label"])
    return found


def _found(source: Path) -> dict[str, tuple[Path, Path]]:
    """nnU-Net 2: every label file with the first channel of its image."""
    found = {}
    for labels in sorted(p for p in (source / "labelsTr").glob("*") if re.search(EXTENSIONS + "$", p.name)):
        images = list(_with_channel(source / "imagesTr" / labels.name))
        if labels.name[:1] != "." and images:
            found[_stem(labels.name)] = (images[0], labels)
    return found


def _with_channel(image: Path) -> Iterator[Path]:
    first = re.sub(f"({EXTENSIONS})$", r"_0000\1", image.name)
    if (image.parent / first).is_file():
        yield image.parent / first


def _stem(name: str) -> str:
    return re.sub(EXTENSIONS + "$", "", name)


def _fits(organs: Mapping[str, list[str]], labels: Mapping[str, list[int]]) -> bool:
    there = {name.lower() for name in labels}
    return all(name.lower() in there for own in organs.values() for name in own)


def _read(image: Path, labels: Path, modality: str, values: dict[str, list[int]]) -> Labelled:
    volume = read_image(image, modality)
    masks, notices = read_labels(labels, volume.geometry, values)
    return Labelled(replace(volume, modality=modality or volume.modality), masks, notices)

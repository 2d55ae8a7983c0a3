"""From a data set's own label names to TG-263, as far as ``structures.json`` knows them; other names are kept.

A name is compared without case, spaces and signs, with its side taken apart: ``Lung (left)``, ``lung_L`` and
``LeftLung`` are ``Lung_L``. Words that say how a contour was made are not guessed at: ``Parotid_L_old`` stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.structures import structures

SAME = {
    "brainstem": ("brain stem",),
    "spinalcord": ("cord", "spine cord", "medulla spinalis"),
    "bonemandible": ("mandible",),
    "opticchiasm": ("chiasm", "chiasma", "optic chiasma"),
    "opticnrv": ("optic nerve", "opt nerve"),
    "glndsubmand": ("submandibular", "submandibular gland", "smg"),
    "parotid": ("parotid gland", "pg"),
    "glndlacrimal": ("lacrimal gland", "lacrimal"),
    "atrium": ("atrium",),
    "pituitary": ("pituitary gland", "hypophysis"),
    "esophagus": ("oesophagus",),
    "eye": ("eyeball", "globe"),
}
"""Other words for the stems of TG-263 names (written without signs)."""

SIDES = {"l": "L", "left": "L", "lt": "L", "r": "R", "right": "R", "rt": "R"}


def tg263(name: str) -> str:
    """The TG-263 name that ``name`` means, or ``name`` itself, cut down to a plain word."""
    stem, side = _parts(name)
    found = _known().get((_stem(stem), side))
    return found or re.sub(r"[^A-Za-z0-9+-]+", "_", name).strip("_")[:64]


def mapping(names: Iterable[str], wanted: dict[str, str] | None = None) -> dict[str, str]:
    """``{organ: name in the data set}`` of each name: as ``wanted`` says, else as TG-263 does.

    Raises
    ------
    UsageError : E_NAMES if two labels would be the same organ.
    """
    chosen: dict[str, str] = {}
    for name in names:
        organ = (wanted or {}).get(name) or tg263(name)
        if organ in chosen:
            raise UsageError(
                "E_NAMES", f"The labels {chosen[organ]!r} and {name!r} would both be {organ}. Name one with --names."
            )
        chosen[organ] = name
    return chosen


def _parts(name: str) -> tuple[str, str]:
    """Stem in lower-case letters and digits, and the side, "" if none is said."""
    words = [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name)]
    sides = [SIDES[w] for w in words if w in SIDES]
    if len(sides) != 1:
        return "".join(words), ""
    return "".join(w for w in words if w not in SIDES), sides[0]


def _stem(stem: str) -> str:
    return _synonyms().get(stem, stem)


@cache
def _synonyms() -> dict[str, str]:
    return {word.replace(" ", ""): stem for stem, words in SAME.items() for word in words}


@cache
def _known() -> dict[tuple[str, str], str]:
    return {_parts(name): name for name in structures()}

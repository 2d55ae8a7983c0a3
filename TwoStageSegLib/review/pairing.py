"""Which segment is which organ: by its TG-263 name, by its code, or by its name written another way."""

from __future__ import annotations

import re
from functools import cache

from ..structures import Structure, structures


def organ_name(name: str, terminology: str = "") -> str:
    """The TG-263 name of a segment, or its own name if it is no structure that we know.

    Asked in this order: the name itself; the SNOMED CT codes of the terminology entry; the name without regard to
    case, blanks, dots, dashes and underscores (``parotid l`` is ``Parotid_L``).

    Parameters
    ----------
    terminology : Slicer's serialised terminology entry (``context~category~type~modifier~...``), "" if there is none.
    """
    known = structures()
    if name in known:
        return name
    return _by_code().get(_codes(terminology), "") or _by_plain_name().get(_plain(name), "") or name


def _codes(terminology: str) -> tuple[str, str]:
    """Values of the type and of its modifier (side), "" where there is none."""
    parts = terminology.split("~")
    values = [[*part.split("^"), "", ""][1] for part in parts[2:4]]
    return (values[0], values[1]) if len(values) == 2 else ("", "")


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]+", "", name).casefold()


@cache
def _by_plain_name() -> dict[str, str]:
    return {_plain(name): name for name in structures()}


@cache
def _by_code() -> dict[tuple[str, str], str]:
    """Codes that one structure alone has: a code that two share (a part and its whole) says nothing."""
    found: dict[tuple[str, str], str] = {}
    for name, each in structures().items():
        codes = _codes_of(each)
        found[codes] = "" if codes in found else name
    found.pop(("", ""), None)
    return found


def _codes_of(each: Structure) -> tuple[str, str]:
    return each.type[1], each.modifier[1] if each.modifier else ""

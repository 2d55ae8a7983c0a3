"""The fact table: which properties, methods and signals Slicer's widgets really have.

``slicer_widget_api.json`` was read out of the headers of Slicer and CTK and out of Qt 5.15's meta-objects; members
that Slicer 5.10 does not have yet are left out. ``slicer_util_api.json`` lists the public names of ``slicer.util``,
``slicer.packaging`` and ``slicer.cli`` in Slicer 5.10.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import NotInSlicerError

_HERE = Path(__file__).parent
_METHOD_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


@dataclass(frozen=True)
class Members:
    """What a class has, its bases included.

    ``properties`` maps a name to the C++ type and, after "notify=", the signal; ``methods`` are the names of its slots
    and invokables; ``signals`` are normalised signatures, ready for ``connect``.
    """

    properties: dict[str, str]
    methods: frozenset[str]
    signals: frozenset[str]

    def signals_named(self, name: str) -> list[str]:
        return sorted(s for s in self.signals if s.split("(")[0] == name)


@cache
def _table() -> dict[str, dict]:
    return json.loads((_HERE / "slicer_widget_api.json").read_text(encoding="utf-8"))


@cache
def functions(module: str) -> frozenset[str]:
    """Public names of ``slicer.util`` (or ``slicer.packaging``, ``slicer.cli``)."""
    return frozenset(json.loads((_HERE / "slicer_util_api.json").read_text(encoding="utf-8"))[module])


def known(class_name: str) -> bool:
    return class_name in _table()


def classes(prefix: str) -> list[str]:
    return [name for name in _table() if name.startswith(prefix)]


def chain(class_name: str) -> list[str]:
    """The class and its bases, nearest first."""
    return [class_name, *_table()[class_name]["chain"]]


@cache
def members(class_name: str) -> Members:
    """Everything a class has, bases included."""
    return _united(chain(class_name))


@cache
def own_members(class_name: str) -> Members:
    """What Slicer's and CTK's own classes add to Qt: PythonQt shows no more of them than this."""
    return _united([c for c in chain(class_name) if not c.startswith("Q")])


def check_signal(class_name: str, signature: str) -> None:
    """Raise unless the class has the signal, in just this signature."""
    have = members(class_name)
    if signature in have.signals:
        return
    near = have.signals_named(signature.split("(")[0]) or sorted(have.signals)
    raise NotInSlicerError(f"{class_name} has no signal {signature!r}; it has {', '.join(near)}")


def check_property(class_name: str, name: str) -> None:
    """Raise unless the class has the property."""
    if name not in members(class_name).properties:
        raise NotInSlicerError(f"{class_name} has no property {name!r}")


def check_slot(class_name: str, signature: str) -> None:
    """Raise unless a slot, invokable or signal of that name can be the target of a connection."""
    name = signature.split("(")[0]
    have = members(class_name)
    if name not in have.methods and not have.signals_named(name):
        raise NotInSlicerError(f"{class_name} has no slot {signature!r}")


def _united(names: list[str]) -> Members:
    properties: dict[str, str] = {}
    methods: set[str] = set()
    signals: set[str] = set()
    for name in names:
        entry = _table().get(name)
        if entry is None:
            continue
        for key, kind in entry["properties"].items():
            properties.setdefault(key, kind)
        methods |= {_method_name(m) for m in entry["methods"]}
        signals |= set(entry["signals"])
    return Members(properties, frozenset(methods), frozenset(signals))


def _method_name(declaration: str) -> str:
    found = _METHOD_NAME.search(declaration)
    if found is None:
        raise ValueError(f"{declaration!r} is no declaration of a method")
    return found.group(1)

"""What ``evaluate`` and ``baseline`` left in a folder, read back. Older folders have fewer columns and files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from TwoStageSegLib.errors import UsageError

WORDS = ("case", "grade", "organ", "way", "status", "outcome", "kind")
"""Columns that are no numbers."""

Row = dict[str, Any]
SliceKey = tuple[str, int]


@dataclass(frozen=True)
class Finished:
    """One system's evaluation. ``about`` is empty and ``slices`` too where the folder does not hold them."""

    name: str
    rows: tuple[Row, ...]
    slices: tuple[Row, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def organs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r["organ"] for r in self.rows))

    @cached_property
    def ways(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r["way"] for r in self.rows))

    @cached_property
    def _by_case(self) -> dict[tuple[str, str], dict[str, Row]]:
        out: dict[tuple[str, str], dict[str, Row]] = {}
        for row in self.rows:
            out.setdefault((row["organ"], row["way"]), {})[row["case"]] = row
        return out

    def cases(self, organ: str, way: str = "auto") -> tuple[str, ...]:
        return tuple(self._by_case.get((organ, way), {}))

    def values(self, column: str, organ: str, cases: Iterable[str], way: str = "auto") -> list[float] | None:
        """One number per case; None if this folder does not have the column, the way or one of the cases."""
        found = self._by_case.get((organ, way), {})
        rows = [found.get(c) for c in cases]
        if not rows or any(r is None or column not in r for r in rows):
            return None
        return [float(r[column]) for r in rows if r is not None]

    def slices_of(self, organ: str, cases: Iterable[str], way: str = "auto") -> dict[SliceKey, Row]:
        """By case and slice."""
        wanted = set(cases)
        return {
            (r["case"], int(r["slice"])): r
            for r in self.slices
            if r["organ"] == organ and r["way"] == way and r["case"] in wanted
        }

    def curve(self, organ: str, kind: str) -> list[tuple[float, float]]:
        """``shift_mm`` or ``box_scale`` against mean Dice: from the rows, else as the bundle's manifest states it."""
        prefix = {"shift_mm": "shift_", "box_scale": "scale_"}[kind]
        points = []
        for way in self.ways:
            if way.startswith(prefix) and (organ, way) in self._by_case:
                dice = [r["dice"] for r in self._by_case[organ, way].values()]
                points.append((float(way.removeprefix(prefix)), sum(dice) / len(dice)))
        stated = self.about.get("location_error", {}).get(organ, {}).get(kind, [])
        return points or [(float(x), float(y)) for x, y in stated]

    def with_bundle(self, bundle: str) -> Finished:
        """The same, with what the bundle tells of itself where the folder tells nothing."""
        from TwoStageSegLib.model import load_model

        from ..about import bundle_facts

        return replace(self, about=bundle_facts(load_model(bundle)) | self.about)


def read(text: str) -> Finished:
    """``DIR`` or ``NAME=DIR``.

    Raises
    ------
    UsageError
        ``E_COMPARE`` if there is no evaluation in the folder.
    """
    name, _, folder = text.rpartition("=") if "=" in text and not Path(text).is_dir() else ("", "", text)
    path = Path(folder)
    if not (path / "cases.csv").is_file():
        raise UsageError(
            "E_COMPARE", f"{folder} holds no cases.csv. Run 'python -m training evaluate ... --to {folder}'."
        )
    rows = _rows(path / "cases.csv")
    if not rows:
        raise UsageError("E_COMPARE", f"{folder}: cases.csv has no row. Evaluate again.")
    for row in rows:
        row.setdefault("volume_ratio", row["ml"] / row["true_ml"])
    slices = path / "slices.csv"
    about = path / "about.json"
    return Finished(
        name or path.resolve().name,
        tuple(rows),
        tuple(_rows(slices)) if slices.is_file() else (),
        json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {},
    )


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as stream:
        return [{k: v if k in WORDS else float(v) for k, v in row.items()} for row in csv.DictReader(stream)]

"""Names, codes and colours of structures: one table (``Resources/structures.json``), TG-263 names as keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from .resources import resource_path

Code = tuple[str, str, str]  # scheme, value, meaning


@dataclass(frozen=True)
class Structure:
    """A TG-263 structure with its SNOMED CT codes and display colour (0..255)."""

    name: str
    category: Code
    type: Code
    modifier: Code | None
    rgb: tuple[int, int, int]

    @property
    def terminology(self) -> str:
        """Slicer's serialised terminology entry (context ~ category ~ type ~ modifier ~ region context ~ ~ )."""

        def triplet(code: Code | None) -> str:
            return "^".join(code) if code else "^^"

        return "~".join(
            (
                "Segmentation category and type - 3D Slicer General Anatomy list",
                triplet(self.category),
                triplet(self.type),
                triplet(self.modifier),
                "Anatomic codes - DICOM master list",
                "^^",
                "^^",
            )
        )


@cache
def structures() -> dict[str, Structure]:
    """Every known structure by TG-263 name."""
    table = json.loads(resource_path("structures.json").read_text(encoding="utf-8"))

    def code(entry: dict[str, str] | None) -> Code | None:
        return None if entry is None else (entry["scheme"], entry["value"], entry["meaning"])

    found = {}
    for row in table["structures"]:
        category, kind = code(row["category"]), code(row["type"])
        assert category is not None and kind is not None
        r, g, b = row["rgb"]
        found[row["tg263_name"]] = Structure(row["tg263_name"], category, kind, code(row["type_modifier"]), (r, g, b))
    return found


def structure(name: str) -> Structure:
    """The structure called ``name``; an unknown name gets a grey entry with Slicer's generic tissue code."""
    generic: Code = ("SCT", "85756007", "Tissue")
    return structures().get(name) or Structure(name, generic, generic, None, (127, 127, 127))

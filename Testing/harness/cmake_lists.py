"""Brings the lists in the CMake files up to date with what is on disk:  python -m Testing.harness.cmake_lists

CMake's own globbing would do without lists, but then a stray file would end in the package unseen.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def on_disk(folder: Path, pattern: str = "*") -> set[str]:
    """Files below a folder by their names in CMake; caches and hidden files are none."""
    found = (p.relative_to(folder) for p in folder.rglob(pattern) if p.is_file())
    return {p.as_posix() for p in found if "__pycache__" not in p.parts and not p.name.startswith(".")}


def lists() -> dict[tuple[Path, str], set[str]]:
    """What each list must hold: by CMake file and variable."""
    module, engine, resources = ROOT / "TwoStageSeg", ROOT / "TwoStageSegLib", ROOT / "Resources"
    name = "CMakeLists.txt"
    return {
        (module / name, "MODULE_PYTHON_SCRIPTS"): on_disk(module, "*.py"),
        (module / name, "MODULE_PYTHON_RESOURCES"): {f"Resources/{f}" for f in on_disk(module / "Resources")},
        (engine / name, "ENGINE_SCRIPTS"): {f for f in on_disk(engine, "*.py") if not f.startswith("web/")},
        (resources / name, "ENGINE_RESOURCES"): {
            "structures.json",
            *(f"models/{f}" for f in on_disk(resources / "models")),
        },
    }


def listed(file: Path, variable: str) -> list[str]:
    """The entries of ``set(variable ...)``."""
    found = re.search(rf"set\({variable}\s+([^)]*)\)", file.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{file.name} sets no {variable}")
    return found[1].split()


def main() -> None:
    for (file, variable), wanted in lists().items():
        text = file.read_text(encoding="utf-8")
        block = f"set({variable}\n" + "".join(f"  {entry}\n" for entry in sorted(wanted)) + ")"
        file.write_text(re.sub(rf"set\({variable}\s[^)]*\)", block, text), encoding="utf-8")


if __name__ == "__main__":
    main()

"""``python -m TwoStageSegLib.probe``: can the worker's libraries be imported here? Asked in a process of its own.

A broken torch can take the process down that imports it, so Slicer asks before anything of it comes near Slicer.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec

from .worker_process import without_paths

NEEDED = ("numpy", "scipy", "safetensors", "torch")


@dataclass
class Findings:
    """``missing``: not installed. ``broken``: installed, with the first line of why it cannot be imported."""

    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    device: str = ""

    @property
    def usable(self) -> bool:
        return not self.missing and not self.broken


def probe() -> Findings:
    """Import everything the worker needs and name the device it would use."""
    found = Findings()
    for name in NEEDED:
        try:
            if find_spec(name) is None:
                found.missing.append(name)
            else:
                import_module(name)
        except Exception as error:  # whatever a broken library raises (OSError: a missing DLL; AttributeError; ...)
            reason = (str(error).splitlines() or [""])[0]
            found.broken[name] = without_paths(f"{type(error).__name__}: {reason}")
    if found.usable:
        from .device import choose_device

        found.device = choose_device().text
    return found


def read(output: str) -> Findings | None:
    """What a child wrote, None if it wrote nothing that can be read (it crashed)."""
    for line in reversed(output.splitlines()):
        try:
            value = json.loads(line)
            return Findings(list(value["missing"]), dict(value["broken"]), str(value["device"]))
        except (ValueError, KeyError, TypeError):
            continue
    return None


def main() -> int:
    sys.stdout.write(json.dumps(asdict(probe())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

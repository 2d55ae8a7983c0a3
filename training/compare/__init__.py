"""``python -m training compare A B ...``: one page on systems that were measured on the same cases."""

from __future__ import annotations

from pathlib import Path

from TwoStageSegLib.errors import UsageError
from TwoStageSegLib.outputs.atomic import atomic_file

from .figures import shared_organs
from .inputs import Finished, read

PAGE = "compare.md"


def compare(folders: list[str], to: Path, bundles: list[str], title: str) -> Path:
    """Write the page and its plots into ``to``; return the page.

    Parameters
    ----------
    folders : ``DIR`` or ``NAME=DIR`` of ``evaluate`` or ``baseline``, two or more; the first is what the others are
        compared with where a table wants one. bundles : ``NAME=BUNDLE`` for folders that do not tell parameters.
    """
    from .page import page
    from .plots import draw

    systems = [read(folder) for folder in folders]
    names = [s.name for s in systems]
    if len(systems) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "E_COMPARE", f"Give two systems or more, each with a name of its own (got {', '.join(names)})."
        )
    systems = _with_bundles(systems, bundles)
    if not shared_organs(systems):
        raise UsageError(
            "E_COMPARE", f"{', '.join(names)} have no organ of a case in common. Evaluate on the same cases."
        )
    to.mkdir(parents=True, exist_ok=True)
    plots = draw(systems, to)
    target = to / PAGE
    with atomic_file(target) as temporary:
        temporary.write_text(page(title, systems, plots), encoding="utf-8")
    return target


def _with_bundles(systems: list[Finished], bundles: list[str]) -> list[Finished]:
    told: dict[str, str] = {}
    for text in bundles:
        name, found, bundle = text.partition("=")
        if not found:
            raise UsageError("E_COMPARE", f"--bundle {text}: say which system's it is, as NAME={text}.")
        told[name] = bundle
    if unknown := set(told) - {s.name for s in systems}:
        raise UsageError("E_COMPARE", f"--bundle names {sorted(unknown)[0]!r}, which is none of the systems.")
    return [s.with_bundle(told[s.name]) if s.name in told else s for s in systems]

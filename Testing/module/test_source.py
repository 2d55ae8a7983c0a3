"""What can be seen in the module's source alone."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from Testing.conftest import ROOT
from Testing.harness.qt_fixtures import why_qt_cannot_start

MODULE = ROOT / "TwoStageSeg"
SOURCES = sorted(p for p in MODULE.rglob("*.py"))
TABLE = json.loads((ROOT / "Testing" / "harness" / "qt" / "slicer_util_api.json").read_text(encoding="utf-8"))
IMPORT_S = 0.2

pytestmark = pytest.mark.skipif(not SOURCES, reason="the Slicer module is not here")

_MEASURE = """
import sys, time
from pathlib import Path
from Testing.harness.minislicer import boot
from Testing.harness.module import start_slicer, _load
host = start_slicer(boot())
import qt, ctk, vtk, slicer, slicer.util, slicer.i18n, slicer.ScriptedLoadableModule, logging, numpy
qt.QWidget, qt.QTimer, qt.QProcess
before = set(sys.modules)
started = time.perf_counter()
_load(host, Path(sys.argv[1]))
seconds = time.perf_counter() - started
print(seconds, *sorted(set(sys.modules) - before))
"""


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_pyflakes_finds_nothing_with_slicers_python(path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "F,E9",
            "--target-version",
            "py312",
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_no_function_of_slicer_is_called_that_it_does_not_list(path: Path) -> None:
    unknown = [name for name in _names_of_slicer(ast.parse(path.read_text(encoding="utf-8"))) if not _listed(name)]
    assert unknown == []


def test_that_check_would_notice() -> None:
    source = "import slicer\nslicer.util.loadVolumes('a')\nfrom slicer.util import mainWindow, noSuch\n"
    unknown = [name for name in _names_of_slicer(ast.parse(source)) if not _listed(name)]
    assert sorted(unknown) == ["slicer.util.loadVolumes", "slicer.util.noSuch"]


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_texts_can_be_translated(path: Path) -> None:
    """``_()`` is given a plain text: what is put together first is never found in a dictionary."""
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    marked = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("_", "translate")]
    wrong = [c.lineno for c in marked if not all(isinstance(a, ast.Constant) for a in c.args)]
    assert wrong == []


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.ui")), ids=ids)
def test_the_ui_file_says_nothing_that_slicers_classes_do_not_have(path: Path) -> None:
    if reason := why_qt_cannot_start():
        pytest.skip(reason)
    from Testing.harness.qt.loader import check

    root = ET.parse(path).getroot()
    check(root)
    names = [w.get("name") for w in root.iter("widget")]
    assert len(names) == len(set(names))
    texts = [s for s in root.iter("string") if s.text and s.get("notr") != "true"]
    assert texts, "no text that can be translated"


def test_importing_the_module_is_quick_and_imports_no_torch() -> None:
    if reason := why_qt_cannot_start():
        pytest.skip(reason)
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _MEASURE, str(MODULE / "TwoStageSeg.py")]
    found, imported = [], set()
    for _ in range(3):  # the machine may be busy: the quickest of three
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds, *modules = done.stdout.split()
        found.append(float(seconds))
        imported |= {m.split(".")[0] for m in modules}
    assert imported & {"torch", "monai", "SimpleITK", "skimage", "scipy"} == set()
    assert min(found) < IMPORT_S, f"{min(found):.2f} s"


def _names_of_slicer(tree: ast.AST) -> Iterator[str]:
    """``slicer.util.x`` and the like, wherever they are mentioned or imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            base = node.value
            if isinstance(base.value, ast.Name) and base.value.id == "slicer" and f"slicer.{base.attr}" in TABLE:
                yield f"slicer.{base.attr}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in TABLE:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _listed(name: str) -> bool:
    module, _, function = name.rpartition(".")
    return function in TABLE[module]

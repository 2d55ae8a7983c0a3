"""The walls of the design, read from the source: which room imports what; and a repository that stays clean."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIB = ROOT / "TwoStageSegLib"
SCENE_ROOMS = ("scene", "session", "web")
TORCH_ROOMS = ("networks", "systems", "worker", "device")
HEAVY = ("numpy", "torch", "SimpleITK", "skimage", "scipy", "vtk", "slicer", "pydicom")
IMAGE_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".dcm", ".mha", ".mhd", ".nhdr", ".npy", ".npz")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Import:
    """One import statement: where, of what, and whether it only runs when a function is called."""

    file: str
    line: int
    module: str
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(source: str, file: str) -> Iterator[Import]:
    """Every import of a module's source, ``importlib.import_module("x")`` and ``__import__("x")`` included."""

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            names: list[str] = []
            if isinstance(child, ast.Import):
                names = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
                names = [child.module]
            elif isinstance(child, ast.Call) and child.args and isinstance(child.args[0], ast.Constant):
                function = child.func.attr if isinstance(child.func, ast.Attribute) else getattr(child.func, "id", "")
                if function in ("import_module", "__import__"):
                    names = [str(child.args[0].value)]
            for name in names:
                yield Import(file, getattr(child, "lineno", 0), name, inside)
            yield from walk(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    yield from walk(ast.parse(source), False)


def engine_imports() -> list[tuple[str, Import]]:
    """(room, import) for every import of the engine; the room is the first folder or file name below the package."""
    found = []
    for path in sorted(LIB.rglob("*.py")):
        room = path.relative_to(LIB).parts[0].removesuffix(".py")
        name = str(path.relative_to(ROOT))
        found += [(room, i) for i in imports_of(path.read_text(encoding="utf-8"), name)]
    return found


def of(module: str, packages: tuple[str, ...]) -> bool:
    return module.split(".")[0] in packages


def test_the_reader_sees_every_form_of_import():
    source = (
        "import torch.nn as nn\nfrom torch import x\nfrom .torch import y\n"
        "def f():\n    import vtk\n    importlib.import_module('slicer')\n__import__('qt')\n"
    )
    found = [(i.module, i.inside_function) for i in imports_of(source, "f")]
    assert found == [("torch.nn", False), ("torch", False), ("vtk", True), ("slicer", True), ("qt", False)]


def test_only_the_scene_rooms_know_slicer_vtk_qt_and_trame():
    toolkits = (
        "slicer",
        "vtk",
        "vtkmodules",
        "vtkSegmentationCorePython",
        "qt",
        "ctk",
        "PySide6",
        "PyQt5",
        "trame",
        "trame_slicer",
    )
    bad = [str(i) for room, i in engine_imports() if of(i.module, toolkits) and room not in SCENE_ROOMS]
    assert bad == []


def test_the_session_uses_no_toolkit():
    toolkits = ("qt", "ctk", "PySide6", "PyQt5", "trame", "trame_slicer")
    assert [str(i) for room, i in engine_imports() if of(i.module, toolkits) and room in ("session", "scene")] == []


def test_torch_stays_in_its_rooms():
    def torch(i: Import) -> bool:
        return of(i.module, ("torch", "torchvision")) or i.module == "safetensors.torch"

    found = [(room, i) for room, i in engine_imports() if torch(i)]
    assert [str(i) for room, i in found if room not in TORCH_ROOMS] == []
    assert [str(i) for room, i in found if room == "device" and not i.inside_function] == []
    assert found, "nothing imports torch: the reader is broken"


def test_the_engine_never_imports_training_or_the_tests():
    assert [str(i) for _, i in engine_imports() if of(i.module, ("training", "Testing"))] == []


def test_no_pickle_and_no_evaluation_of_text_in_the_engine():
    bad = []
    for path in sorted(LIB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                bad.append(f"{path.name}:{node.lineno} {node.func.id}")
    bad += [str(i) for _, i in engine_imports() if of(i.module, ("pickle", "dill", "joblib"))]
    assert bad == []


@pytest.mark.parametrize(
    "statement", ["import TwoStageSegLib.cli", "from TwoStageSegLib.cli import main; main(['--help'])"]
)
def test_the_command_line_starts_without_anything_heavy(statement):
    code = f"""
import sys
try:
    {statement}
except SystemExit as leaving:
    assert leaving.code == 0
print("LOADED", sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_the_worker_client_does_not_bring_torch_into_its_process():
    code = "import sys, TwoStageSegLib.worker_client, TwoStageSegLib.pipeline; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The repository's tracked files."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_image_is_tracked(tracked):
    assert [str(p.relative_to(ROOT)) for p in tracked if p.name.lower().endswith(IMAGE_SUFFIXES)] == []


def test_no_file_but_weights_is_over_5_mb(tracked):
    # weights have their own limit, all bundles together: the next test
    others = [p for p in tracked if p.suffix != ".safetensors"]
    assert [(str(p.relative_to(ROOT)), p.stat().st_size) for p in others if p.stat().st_size > 5 * MEGABYTE] == []


def test_the_bundles_together_are_at_most_40_mb(tracked):
    bundles = [p for p in tracked if p.is_relative_to(ROOT / "Resources" / "models")]
    assert sum(p.stat().st_size for p in bundles) <= 40 * MEGABYTE


def test_no_path_of_somebodys_machine_is_tracked(tracked):
    """Home folders, temporary folders and mount points of whoever built this do not belong in the repository."""
    pattern = re.compile(rb"(?<![\w./])/(?:home|Users|root|mnt|work|tmp)/[\w.-]+/")
    texts = [
        p
        for p in tracked
        if p.suffix in (".py", ".md", ".toml", ".json", ".txt", ".lock", ".yml") or p.name == "Makefile"
    ]
    assert [str(p.relative_to(ROOT)) for p in texts if pattern.search(p.read_bytes())] == []


def test_the_lock_pins_every_line_and_names_no_host():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert "torch==2.13.0" in pins

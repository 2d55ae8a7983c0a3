"""First use: what is missing is found in a child process and installed only with consent. pip is played; it would
change the environment that the tests run in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from Testing.conftest import ROOT
from TwoStageSegLib.probe import Findings

FAKE_PIP = """
import json, os, pathlib, sys
arguments = sys.argv[1:]
pins = pathlib.Path(arguments[arguments.index("-c") + 1]).read_text()
pathlib.Path(os.environ["PIP_LOG"]).write_text(json.dumps({"arguments": arguments, "pins": pins}))
print("Collecting something")
if os.environ.get("PIP_FAILS"):
    print("ERROR: no matching distribution", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def made(slicer_host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Dependencies, with a pip that only writes down what it was asked for."""
    folder = tmp_path / "fake"
    (folder / "pip").mkdir(parents=True)
    (folder / "pip" / "__init__.py").touch()
    (folder / "pip" / "__main__.py").write_text(FAKE_PIP)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PIP_LOG", str(tmp_path / "pip.json"))
    monkeypatch.syspath_prepend(str(ROOT / "TwoStageSeg"))
    from TwoStageSegWidgets.dependencies import Dependencies

    dependencies = Dependencies(lambda: None)
    yield dependencies
    dependencies.close()
    for name in [n for n in sys.modules if n.startswith("TwoStageSegWidgets")]:
        del sys.modules[name]  # they hold this test's Qt


def wait(dependencies: Any) -> None:
    import time

    from PySide6.QtWidgets import QApplication

    end = time.monotonic() + 60
    while dependencies.busy:
        assert time.monotonic() < end
        QApplication.processEvents()
        time.sleep(0.01)


def asked_of_pip(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "pip.json").read_text())


def test_a_child_finds_that_all_is_here(made: Any) -> None:
    made.look()
    wait(made)
    assert made.findings.usable and made.describe() == "" and made.problem == ""


def test_a_broken_torch_is_named_with_its_reason(made: Any, tmp_path: Path) -> None:
    (tmp_path / "fake" / "torch.py").write_text("raise OSError('libcudart is missing')")
    made.look()
    wait(made)
    assert made.describe().startswith("torch is installed but does not start: OSError: libcudart is missing.")


def test_what_is_missing_is_said_with_its_size(made: Any) -> None:
    made.findings = Findings(missing=["safetensors", "torch"])
    assert "safetensors (1 MB), torch (200 MB (CPU) to 3 GB (graphics card))" in made.describe()


def test_without_consent_nothing_is_installed(made: Any, slicer_host: Any, tmp_path: Path) -> None:
    made.findings = Findings(missing=["safetensors"])
    slicer_host.dialogs.answer(False)
    made.install()
    assert not made.busy and not (tmp_path / "pip.json").exists()


def test_pip_may_not_change_what_is_installed(made: Any, slicer_host: Any, tmp_path: Path) -> None:
    import numpy

    made.findings = Findings(missing=["safetensors"])
    slicer_host.dialogs.answer(True)
    made.install()
    assert made.installing
    wait(made)
    asked = asked_of_pip(tmp_path)
    assert asked["arguments"][0] == "install" and asked["arguments"][-1] == "safetensors>=0.4"
    assert f"numpy=={numpy.__version__}" in asked["pins"].splitlines()
    assert made.findings.usable  # asked again afterwards: it is here


def test_offline_only_the_folder_is_looked_at(made: Any, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    made.findings = Findings(missing=["torch", "safetensors"])
    made.install_from(wheels)
    assert "no wheels" in made.problem and not made.busy
    (wheels / "safetensors-0.5-py3-none-any.whl").touch()
    made.install_from(wheels)
    wait(made)
    arguments = asked_of_pip(tmp_path)["arguments"]
    at = arguments.index("--no-index")
    assert arguments[at:] == ["--no-index", "--find-links", str(wheels), "torch>=2.4", "safetensors>=0.4"]


def test_a_failed_installation_says_why(made: Any, slicer_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FAILS", "1")
    made.findings = Findings(missing=["safetensors"])
    slicer_host.dialogs.answer(True)
    made.install()
    wait(made)
    assert made.problem == "The installation failed: ERROR: no matching distribution"


def test_torch_comes_by_the_pytorch_extension(made: Any, slicer_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made.findings = Findings(missing=["torch"])
    slicer_host.dialogs.answer(True)
    made.install()
    assert "Install the extension PyTorch first" in made.problem
    asked: list[dict[str, Any]] = []

    class Logic:
        def installTorch(self, **arguments: Any) -> Any:  # noqa: N802
            asked.append(arguments)
            return SimpleNamespace()

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    slicer_host.dialogs.answer(True)
    made.install()
    wait(made)
    assert asked == [{"askConfirmation": False, "torchVersionRequirement": ">=2.4"}]
    assert made.problem == "" and made.findings.usable


def test_a_torch_that_was_not_installed_is_said(made: Any, slicer_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Logic:
        def installTorch(self, **arguments: Any) -> Any:  # noqa: N802
            raise RuntimeError("no space left on device\nmore")

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    made.findings = Findings(missing=["torch"])
    slicer_host.dialogs.answer(True)
    made.install()
    assert made.problem == "torch was not installed: no space left on device" and not made.busy

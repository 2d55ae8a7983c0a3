"""The extension as CMake packs it: every file is listed, and what is listed works where Slicer would install it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.conftest import ROOT
from Testing.harness.cmake_lists import listed, lists, on_disk

# What the tests play of Slicer's CMake: the macro copies to the build tree and installs it, and refuses what is not
# there, as the real one does. Written from its documentation.
SLICER_CONFIG = """
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/nothing.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/nothing.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/nothing.cmake")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-5.10/qt-scripted-modules")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-5.10/qt-scripted-modules")
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(ASKED "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(ASKED_UNPARSED_ARGUMENTS OR NOT ASKED_NAME)
    message(FATAL_ERROR "not understood: ${ASKED_UNPARSED_ARGUMENTS}")
  endif()
  set(target "${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")
  if(ASKED_WITH_SUBDIR)
    get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    set(target "${target}/${folder}")
  endif()
  foreach(file ${ASKED_SCRIPTS} ${ASKED_RESOURCES})
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
      message(FATAL_ERROR "nonexistent file: ${file}")
    endif()
    configure_file("${file}" "${CMAKE_BINARY_DIR}/${target}/${file}" COPYONLY)
  endforeach()
  install(DIRECTORY "${CMAKE_BINARY_DIR}/${target}/" DESTINATION "${target}")
endmacro()
macro(slicer_add_python_unittest)
endmacro()
"""


def value(name: str) -> str:
    """A string of the top-level file, as the index's checker reads it: quoted, on one line."""
    found = re.search(rf'^set\({name} "([^"\n]*)"\)$', (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)
    assert found, name
    return found[1]


@pytest.mark.parametrize("variable", [name for _, name in lists()])
def test_every_file_is_listed_and_nothing_else(variable):
    ((file, wanted),) = [(f, w) for (f, name), w in lists().items() if name == variable]
    entries = listed(file, variable)
    update = "run: python -m Testing.harness.cmake_lists"
    assert set(entries) - wanted == set(), update
    assert wanted - set(entries) == set(), update
    assert len(entries) == len(wanted)


def test_what_the_extensions_index_asks_for():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    entry = (ROOT / "Resources" / "extension-index" / "TwoStageSeg.json").read_text(encoding="utf-8")
    described = json.loads(entry)
    assert re.search(r"^project\((\w+)", text, re.M)[1] == "TwoStageSeg"
    assert value("EXTENSION_CATEGORY") == described["category"] == "Segmentation"
    assert value("EXTENSION_DEPENDS").split() == described["build_dependencies"] == ["PyTorch"]
    for url in (value("EXTENSION_ICONURL"), *value("EXTENSION_SCREENSHOTURLS").split()):
        assert url.startswith("https://raw.githubusercontent.com/")
        assert (ROOT / url.split("/main/", 1)[1]).is_file(), url
    assert (
        "Slicer" in described["scm_url"].rsplit("/", 1)[1]
        and value("EXTENSION_HOMEPAGE") + ".git" == described["scm_url"]
    )
    assert "\r" not in entry and ";" not in value("EXTENSION_DESCRIPTION")


def test_the_icon_is_a_128_pixel_rgba_png():
    data = (ROOT / "TwoStageSeg" / "Resources" / "Icons" / "TwoStageSeg.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"), data[25]] == [128, 128, 6]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of scripted modules of an installed package: configured and installed by CMake itself."""
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("CMake or a compiler is not installed")
    folder = tmp_path_factory.mktemp("package")
    (folder / "slicer").mkdir()
    (folder / "slicer" / "SlicerConfig.cmake").write_text(SLICER_CONFIG, encoding="utf-8")
    (folder / "slicer" / "nothing.cmake").touch()
    configure = ["cmake", "-S", str(ROOT), "-B", str(folder / "build"), f"-DSlicer_DIR={folder / 'slicer'}"]
    for command in (configure, ["cmake", "--install", str(folder / "build"), "--prefix", str(folder / "installed")]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    return folder / "installed" / "lib" / "Slicer-5.10" / "qt-scripted-modules"


def run_there(installed: Path, code: str) -> str:
    """Python that sees the package and not the source tree."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "TWOSTAGESEG"))}
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"]
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_the_installed_engine_finds_its_models(installed):
    code = """
import TwoStageSegLib
from TwoStageSegLib.model import installed_folders, verify
from TwoStageSegLib.structures import structures
assert structures()
print(TwoStageSegLib.__file__)
print(*[verify(f).folder for f in installed_folders() if "phantom" in f.name])
"""
    engine, *models = run_there(installed, code).splitlines()
    assert Path(engine).is_relative_to(installed)
    assert models == [str(installed / "TwoStageSegLib" / "Resources" / "models" / "phantom")]


def test_the_installed_worker_loads_the_shipped_model(installed):
    code = """
from TwoStageSegLib.messages import ModelReady
from TwoStageSegLib.model import load_model
from TwoStageSegLib.worker_client import WorkerClient
with WorkerClient() as client:
    client.start()
    client.load(load_model("phantom").folder, "cpu")
    print(client.wait_for(ModelReady).name)
"""
    assert run_there(installed, code) == "phantom"


def test_the_package_holds_the_module_and_nothing_of_training_or_tests(installed):
    assert (installed / "TwoStageSeg.py").is_file() and (installed / "Resources" / "UI" / "TwoStageSeg.ui").is_file()
    names = on_disk(installed)
    assert not [n for n in names if n.startswith(("training", "Testing")) or "/web/" in n]
    code = "import TwoStageSegLib.session, TwoStageSegLib.scene; print('torch' in sys.modules)"
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    assert run_there(installed, code) == "False"

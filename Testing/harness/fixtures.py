"""pytest fixtures for tests on a real scene. Register with ``pytest_plugins = ["Testing.harness.fixtures"]``.

A test that asks for one of them is skipped, with the reason, where slicer-core is not installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .minislicer import MiniSlicer


@pytest.fixture(scope="session")
def slicer_core() -> MiniSlicer:
    """Slicer's core, booted once; tests clear the scene (fixture ``mini``) rather than boot again."""
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from .minislicer import boot

    return boot()


@pytest.fixture
def mini(slicer_core: MiniSlicer) -> Iterator[MiniSlicer]:
    """Slicer's core with an empty scene before and after the test."""
    slicer_core.clear()
    yield slicer_core
    slicer_core.clear()


@pytest.fixture
def scene(mini: MiniSlicer) -> Any:
    """The empty scene alone."""
    return mini.scene

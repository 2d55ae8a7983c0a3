"""A session that has been run and is being reviewed, and what a person does to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from .fake_reviews import ASKED
from .sessions import run, until

ORGANS = ("Brainstem", "Parotid_R", "Parotid_L")
PLANES = ("Axial", "Coronal", "Sagittal")


@pytest.fixture
def reviewed(session: Any, monkeypatch: Any) -> Iterator[Any]:
    """A session whose three organs have been run: each has four slices, the first and last of them flagged."""
    monkeypatch.setenv(ASKED, "1")
    for plane in PLANES:
        session.scene.AddNewNodeByClass("vtkMRMLSliceNode", plane).SetOrientation(plane)
    run(session)
    yield session
    for node in _slice_nodes(session):  # those of a loaded scene are singletons, which clearing the scene would keep
        session.scene.RemoveNode(node)


def segment(session: Any, organ: str) -> Any:
    return session.target.GetSegmentation().GetSegment(session.target_for(session.volume_node).segment_of(organ))


def edit(session: Any, organ: str, extra: int = 1) -> None:
    """Draw ``extra`` more slices onto the head end of an organ, as the Segment Editor would."""
    from TwoStageSegLib.scene import Existing, mask_from_segment, put_mask, volume_from_node

    volume = volume_from_node(session.volume_node)
    before = mask_from_segment(session.target, organ, volume)
    voxels = np.concatenate([before.voxels, *[before.voxels[-1:]] * extra])
    put_mask(session.target, replace(before, voxels=voxels), session.volume_node, Existing.REPLACE)


def settle(session: Any) -> None:
    """Half a second without an edit, then until nothing waits."""
    later = session.clock() + 1.0
    session.clock = lambda: later
    session.tick()
    until(session, lambda: not session.reviewing.outdated)


def centres(session: Any) -> list[list[float]]:
    """Where the three slice views are centred, RAS mm."""
    nodes = _slice_nodes(session)
    assert [n.GetOrientation() for n in nodes] == list(PLANES)
    return [[n.GetSliceToRAS().GetElement(i, 3) for i in range(3)] for n in nodes]


def _slice_nodes(session: Any) -> list[Any]:
    count = session.scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    return [session.scene.GetNthNodeByClass(i, "vtkMRMLSliceNode") for i in range(count)]

"""Undo brings back everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

from Testing.harness.grids import GRIDS, organs
from Testing.harness.mrml import scan, segmentation_node, shared_layer, transformed
from TwoStageSegLib.mask import Mask
from TwoStageSegLib.scene import UndoStack, mask_from_segment, put_mask, volume_from_node
from TwoStageSegLib.volume import Volume


def snapshot(node: Any, volume: Volume) -> dict[str, Any]:
    segmentation = node.GetSegmentation()
    return {
        "order": list(segmentation.GetSegmentIDs()),
        "layers": segmentation.GetNumberOfLayers("Binary labelmap"),
        "transform": node.GetTransformNodeID(),
        "reference": node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()),
        "geometry": segmentation.GetConversionParameter("Reference image geometry"),
        "segments": {
            s: (
                segmentation.GetSegment(s).GetName(),
                segmentation.GetSegment(s).GetColor(),
                segmentation.GetSegment(s).GetTerminology(),
                segmentation.GetSegment(s).GetLabelValue(),
                mask_from_segment(node, s, volume).full().tobytes(),
            )
            for s in segmentation.GetSegmentIDs()
        },
    }


def test_undo_restores_everything_step_by_step(scene: Any) -> None:
    geometry = GRIDS["oblique"]
    ct = scan(scene, geometry)
    volume = volume_from_node(ct)
    node, _ = shared_layer(scene, ct)
    undo = UndoStack(node)
    assert not undo.can_undo
    assert undo.undo() is False
    states = []
    for mask in organs(geometry)[:3]:
        undo.save()
        states.append(snapshot(node, volume))
        put_mask(node, mask, ct)
    node.GetSegmentation().RemoveSegment("Mine")
    node.GetSegmentation().GetSegment("Brainstem").SetName("changed")
    while states:
        assert undo.can_undo
        assert undo.undo() is True
        assert snapshot(node, volume) == states.pop()
    assert undo.undo() is False
    assert node.GetSegmentation().GetNumberOfLayers("Binary labelmap") == 1


def test_undo_of_the_first_result_leaves_the_node_as_new(scene: Any) -> None:
    geometry = GRIDS["axial"]
    ct, node = scan(scene, geometry), segmentation_node(scene)
    transformed(scene, ct)
    volume = volume_from_node(ct)
    before = snapshot(node, volume)
    undo = UndoStack(node)
    undo.save()
    put_mask(node, Mask("Brainstem", np.ones((2, 2, 2), bool), (1, 1, 1), volume.geometry), ct)
    assert node.GetTransformNodeID() == ct.GetTransformNodeID()
    assert undo.undo()
    assert snapshot(node, volume) == before
    assert before["order"] == []


def test_after_an_undo_one_can_go_on_and_undo_again(scene: Any) -> None:
    geometry = GRIDS["axial"]
    ct, node = scan(scene, geometry), segmentation_node(scene)
    volume, (first, second, third, _) = volume_from_node(ct), organs(geometry)
    undo = UndoStack(node)
    put_mask(node, first, ct)
    base = snapshot(node, volume)
    undo.save()
    put_mask(node, second, ct)
    undo.undo()
    undo.save()
    put_mask(node, third, ct)
    assert set(snapshot(node, volume)["segments"]) == {"Brainstem", "Parotid_L"}
    assert undo.undo()
    assert snapshot(node, volume) == base
    assert not undo.can_undo


def test_only_the_last_states_are_kept(scene: Any) -> None:
    geometry = GRIDS["axial"]
    ct, node = scan(scene, geometry), segmentation_node(scene)
    volume = volume_from_node(ct)
    undo = UndoStack(node, limit=2)
    for x in range(5):
        undo.save()
        put_mask(node, Mask("Brainstem", np.ones((1, 1, 1), bool), (0, 0, x), geometry), ct)
    assert undo.undo()
    assert mask_from_segment(node, "Brainstem", volume).start_zyx == (0, 0, 3)
    assert undo.undo()
    assert mask_from_segment(node, "Brainstem", volume).start_zyx == (0, 0, 2)
    assert undo.undo() is False
    undo.save()
    undo.clear()
    assert not undo.can_undo

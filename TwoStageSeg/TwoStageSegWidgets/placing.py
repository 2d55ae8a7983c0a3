"""Slicer's place mode: the next clicks in a view place this node's points."""

from __future__ import annotations

from typing import Any

import slicer


def start_placing(node: Any) -> None:
    """The mouse places ``node``: one click for a point, two for a box; then it is a mouse again."""
    selection = slicer.app.applicationLogic().GetSelectionNode()
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    if selection is None or interaction is None:
        return
    selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
    selection.SetActivePlaceNodeID(node.GetID())
    interaction.SetPlaceModePersistence(False)
    interaction.SetCurrentInteractionMode(interaction.Place)


def stop_placing() -> None:
    """The mouse is a mouse again."""
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    if interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place:
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)

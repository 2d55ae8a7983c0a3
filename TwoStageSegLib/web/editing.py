"""Paint and erase in the slice views, with trame-slicer's editor; every stroke is a step of the session's own undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectPaint, SegmentationOverwriteMode
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode

from ..session import Session
from .viewer import Viewer

SIZES_MM = (2.0, 40.0)
_DEFAULT_MM = 8.0


def ignore() -> None:
    """Before a stroke, until an editor listens."""


class Paint(SegmentationEffectPaint):
    """Says that a stroke is about to change the segment."""

    before: Callable[[], None] = staticmethod(ignore)

    def paint_glyph_at_world_coordinates(self, *values: Any) -> None:
        self.before()
        super().paint_glyph_at_world_coordinates(*values)


class Erase(SegmentationEffectErase):
    """Says that a stroke is about to change the segment."""

    before: Callable[[], None] = staticmethod(ignore)

    def paint_glyph_at_world_coordinates(self, *values: Any) -> None:
        self.before()
        super().paint_glyph_at_world_coordinates(*values)


TOOLS: dict[str, type] = {"paint": Paint, "erase": Erase}


class Editor:
    """One brush on the session's target. Not while a run writes into it."""

    def __init__(self, session: Session, viewer: Viewer):
        self._session, self._editor = session, viewer.app.segmentation_editor
        self.tool, self.organ, self.diameter_mm = "", "", _DEFAULT_MM
        self._editor.show_3d(True)  # else it removes the surfaces as soon as a tool is chosen
        for effect in TOOLS.values():
            self._editor.register_effect_type(effect)
            self._editor.get_effect(effect).before = session.begin_edit

    @property
    def possible(self) -> bool:
        """True if there is something to edit and nothing runs."""
        target = self._session.target
        return target is not None and not self._session.busy and target.GetSegmentation().GetNumberOfSegments() > 0

    def choose(self, tool: str, organ: str) -> None:
        """Take a brush in hand for an organ's segment, or put it down (``tool`` "" or the one in hand)."""
        segment_id = self._segment_of(organ)
        if tool not in TOOLS or (tool == self.tool and organ == self.organ) or not segment_id or not self.possible:
            self.stop()
            return
        session = self._session
        if self._editor.active_segmentation_node is not session.target or (
            self._editor.active_volume_node is not session.volume_node
        ):
            self._editor.set_active_segmentation(session.target, session.volume_node)
        self._editor.set_overwrite_mode(SegmentationOverwriteMode.ALLOW_OVERLAP)  # no neighbour loses a voxel
        self._editor.set_active_segment_id(segment_id)
        self._editor.set_active_effect_type(TOOLS[tool])
        self.tool, self.organ = tool, organ
        self.set_brush(self.diameter_mm)

    def set_brush(self, diameter_mm: float) -> None:
        """The brush's diameter, mm on the patient, within SIZES_MM."""
        self.diameter_mm = min(max(diameter_mm, SIZES_MM[0]), SIZES_MM[1])
        if self.tool:
            effect = self._editor.get_effect(TOOLS[self.tool])
            effect.set_brush_diameter(self.diameter_mm, BrushDiameterMode.Absolute)

    def stop(self) -> None:
        """The mouse is a mouse again."""
        if self.tool:
            self.tool = self.organ = ""
            self._editor.deactivate_effect()

    def follow(self) -> None:
        """What it edits may be gone, or a run may have begun."""
        if self.tool and (not self.possible or not self._segment_of(self.organ)):
            self.stop()

    def _segment_of(self, organ: str) -> str:
        session = self._session
        if session.target is None or session.volume_node is None or not organ:
            return ""
        return session.target_for(session.volume_node).segment_of(organ) or ""

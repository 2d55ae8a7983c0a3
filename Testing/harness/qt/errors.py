"""What the harness says when a module asks Slicer for something that Slicer does not have."""

from __future__ import annotations


class NotInSlicerError(AttributeError):
    """A property, signal, slot or function that no Slicer from 5.10 on has under that name. A mistake in the module."""


class HarnessGapError(NotImplementedError):
    """Slicer has it, this harness does not play it yet. Write the stand-in; the module may be right."""

"""``slice-centre`` (Li, papers/000) in training."""

from __future__ import annotations

from .method import SliceCentreMethod

METHOD = SliceCentreMethod()

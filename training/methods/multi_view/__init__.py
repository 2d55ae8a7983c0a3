"""Training of ``multi-view`` (Pu, papers/003): three views, their fusion, and a fine network per organ."""

from __future__ import annotations

from ..base import Method
from .bundle import MultiViewMethod

METHOD: Method = MultiViewMethod()

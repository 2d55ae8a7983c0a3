"""The published systems, one file each. ``create`` turns a verified bundle into a running system."""

from __future__ import annotations

from .base import System, create

__all__ = ["System", "create"]

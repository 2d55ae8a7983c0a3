"""How each published system is trained, one package each. ``method`` gives the one of a recipe."""

from __future__ import annotations

from importlib import import_module

from .. import recipes as _recipes  # noqa: F401  they import the methods' recipe classes: whole, or not at all
from .base import Method, Parts, State

__all__ = ["Method", "Parts", "State", "method"]

PACKAGES = {
    "localise-crop": "localise_crop",
    "slice-centre": "slice_centre",
    "slice-filter": "slice_filter",
    "multi-view": "multi_view",
    "focus": "focus",
}


def method(system: str) -> Method:
    """The training of a system, by the name that its bundles carry."""
    found: Method = import_module(f".{PACKAGES[system]}", __name__).METHOD
    return found

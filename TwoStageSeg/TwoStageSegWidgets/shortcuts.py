"""The keyboard, while the panel is open: run, undo, organs, and the slices to look at.

Alt with an arrow is free in Slicer: the arrows alone scroll slices, Ctrl with an arrow changes the module (5.10 on).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from .organ_list import OrganList
from .review_box import ReviewBox


class Shortcuts:
    """Keys that work wherever the focus is, the slice views included; only while the module is the open one."""

    def __init__(
        self, root: Any, organs: OrganList, review: ReviewBox, run: Callable[[], None], undo: Callable[[], None]
    ):
        owner = slicer.util.mainWindow() or root
        keys = {
            "Ctrl+Return": run,
            "Ctrl+Z": undo,
            "Alt+Down": lambda: organs.step(1),
            "Alt+Up": lambda: organs.step(-1),
            "Alt+C": organs.click_centre,
            "Alt+Right": review.next,
            "Alt+Left": review.previous,
            "Alt+S": review.toggle_seen,
        }
        self._shortcuts = []
        for key, act in keys.items():
            shortcut = qt.QShortcut(owner)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.connect("activated()", act)
            self._shortcuts.append(shortcut)
        self.enable(False)

    def enable(self, on: bool) -> None:
        for shortcut in self._shortcuts:
            shortcut.enabled = on

    def close(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.enabled = False
            shortcut.deleteLater()
        self._shortcuts = []

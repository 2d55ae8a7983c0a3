"""One organ in the panel: tick, colour, score, words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import qt
from slicer.i18n import tr as _

from TwoStageSegLib.session import OrganState, Policy

from .texts import row_text

POLICIES = (None, Policy.REPLACE, Policy.BESIDE, Policy.KEEP)


@dataclass(frozen=True)
class Acts:
    """What a row's buttons do; each is called with the organ's name (and what was chosen)."""

    choose: Callable[[str], None]
    tick: Callable[[str, bool], None]
    go: Callable[[str], object]
    click: Callable[[str], None]
    box: Callable[[str], None]
    auto: Callable[[str], None]
    policy: Callable[[str, Policy | None], None]


class OrganRow:
    """Widgets of one row, in a frame of their own; nothing moves when results arrive."""

    def __init__(self, organ: str, acts: Acts):
        self.organ = organ
        self.frame = qt.QFrame()
        self.frame.frameShape = qt.QFrame.NoFrame
        grid = qt.QGridLayout(self.frame)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(0)
        self.swatch = qt.QLabel("  ")
        self.tick = qt.QCheckBox(organ)
        self.tick.connect("clicked(bool)", lambda on: acts.tick(organ, on))
        self.status = qt.QLabel()
        self.status.wordWrap = True
        self.status.minimumHeight = self.status.fontMetrics().height()
        self.problem = qt.QLabel()
        self.problem.wordWrap = True
        self.problem.font = _weighted(self.problem.font, bold=True)
        self.problem.visible = False
        self.policy = qt.QComboBox()
        self.policy.addItems([_("as below"), _("replace"), _("add beside"), _("keep mine")])
        self.policy.toolTip = _("What happens to this organ's segment if it exists")
        self.policy.visible = False
        self.policy.connect("activated(int)", lambda index: acts.policy(organ, POLICIES[index]))
        grid.addWidget(self.swatch, 0, 0)
        grid.addWidget(self.tick, 0, 1)
        self.buttons: dict[str, Any] = {}
        texts = (
            ("go", _("Go"), _("Show {organ} in the slice views"), acts.go),
            ("click", _("Click"), _("Click the centre of {organ} in a slice view"), acts.click),
            ("box", _("Box"), _("Draw a box around {organ}: click two opposite corners"), acts.box),
            ("auto", _("Auto"), _("Let the model locate {organ} again"), acts.auto),
        )
        for column, (key, text, tip, act) in enumerate(texts, 2):
            button = qt.QToolButton()
            button.text = text
            button.toolTip = tip.format(organ=organ)
            button.accessibleName = tip.format(organ=organ)
            button.connect("clicked(bool)", lambda _on, act=act: self._act(acts, act))
            grid.addWidget(button, 0, column)
            self.buttons[key] = button
        grid.addWidget(self.status, 1, 1, 1, 5)
        grid.addWidget(self.policy, 2, 2, 1, 4)
        grid.addWidget(self.problem, 3, 1, 1, 5)

    def _act(self, acts: Acts, act: Callable[[str], object]) -> None:
        acts.choose(self.organ)
        act(self.organ)

    def show(self, state: OrganState, problem: str, chosen: bool, placing: bool, can_correct: bool) -> None:
        """Draw the row. ``placing``: the next click in a view places this organ."""
        r, g, b = state.rgb
        self.swatch.setStyleSheet(f"background-color: rgb({r}, {g}, {b});")
        self.tick.checked = state.ticked
        self.tick.font = _weighted(self.tick.font, chosen)
        self.status.text = row_text(state, placing)
        self.problem.text = problem
        self.problem.visible = bool(problem)
        self.buttons["go"].enabled = state.region is not None and state.region.centre_lps is not None
        self.buttons["auto"].enabled = can_correct and (state.yours or state.stale)
        for key in ("click", "box"):
            self.buttons[key].enabled = can_correct


def _weighted(font: Any, bold: bool) -> Any:
    changed = qt.QFont(font)
    changed.setBold(bold)
    return changed

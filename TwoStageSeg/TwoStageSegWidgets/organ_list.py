"""The list of organs: rows, and the one that the keyboard acts on."""

from __future__ import annotations

from typing import Any

from TwoStageSegLib.session import Policy, Session

from .organ_row import Acts, OrganRow
from .placing import start_placing, stop_placing


class OrganList:
    """Rows for the session's organs, in a layout of the panel."""

    def __init__(self, layout: Any, session: Session):
        self._layout, self._session = layout, session
        self._rows: dict[str, OrganRow] = {}
        self._per_organ = False
        self.chosen = ""

    def refresh(self) -> None:
        """Draw every row; new ones are made only if the organs are others."""
        session = self._session
        states = session.rows
        if tuple(states) != tuple(self._rows):
            self._rebuild(tuple(states))
        correct = session.volume_node is not None
        for organ, row in self._rows.items():
            placing = session.corrections.placing == organ
            row.show(states[organ], session.problems.at(organ), organ == self.chosen, placing, correct)

    def step(self, by: int) -> None:
        """Choose the next or previous organ and show it."""
        names = list(self._rows)
        if names:
            index = names.index(self.chosen) + by if self.chosen in names else 0
            self.choose(names[index % len(names)])
            self._session.corrections.go_to(self.chosen)

    def choose(self, organ: str) -> None:
        self.chosen = organ
        self.refresh()

    def click_centre(self) -> None:
        """The keyboard's way to the button of the chosen organ."""
        if self.chosen and self._session.volume_node is not None:
            self._place(self.chosen, is_box=False)

    def show_policies(self, shown: bool) -> None:
        """A choice per organ of what happens to its segment; hidden, the general one holds for all."""
        self._per_organ = shown
        for row in self._rows.values():
            row.policy.visible = shown
            if not shown:
                row.policy.currentIndex = 0
        if not shown:
            self._session.policies.clear()

    def _rebuild(self, organs: tuple[str, ...]) -> None:
        for row in self._rows.values():
            self._layout.removeWidget(row.frame)
            row.frame.visible = False
            row.frame.deleteLater()
        acts = Acts(
            self.choose,
            self._tick,
            self._session.corrections.go_to,
            lambda organ: self._place(organ, is_box=False),
            lambda organ: self._place(organ, is_box=True),
            self._session.corrections.auto_again,
            self._policy,
        )
        self._rows = {organ: OrganRow(organ, acts) for organ in organs}
        for row in self._rows.values():
            self._layout.addWidget(row.frame)
            row.policy.visible = self._per_organ
        self.chosen = self.chosen if self.chosen in organs else next(iter(organs), "")

    def _tick(self, organ: str, on: bool) -> None:
        self._session.tick_organ(organ, on)

    def _policy(self, organ: str, policy: Policy | None) -> None:
        if policy is None:
            self._session.policies.pop(organ, None)
        else:
            self._session.policies[organ] = policy

    def _place(self, organ: str, is_box: bool) -> None:
        """Begin to place; pressed again, it is called off."""
        corrections = self._session.corrections
        again = corrections.placing == organ
        stop_placing()
        corrections.stop_placing()
        if again:
            return
        node = corrections.draw_box(organ) if is_box else corrections.click_centre(organ)
        if node is not None:
            start_placing(node)

"""What a person does on the page, by name. Whatever arrives here was sent by a browser and is checked before use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..session import Policy
from .viewer import PRESETS

if TYPE_CHECKING:
    from .desktop import Desktop

DEVICES = ("auto", "cuda", "cpu")


class Acts:
    """Calls into the session, the viewer and the editor of one window.

    :meth:`do` takes a name and values from the browser; what is unknown or does not fit is left undone.
    """

    def __init__(self, desktop: Desktop):
        self._desktop, self._session, self._viewer = desktop, desktop.session, desktop.viewer
        self._acts: dict[str, Callable[..., Any]] = {
            name.removeprefix("act_"): getattr(self, name) for name in dir(self) if name.startswith("act_")
        }

    def do(self, name: str, *values: Any) -> bool:
        """True if there is such an act and its values made sense."""
        act = self._acts.get(name)
        if act is None:
            return False
        try:
            act(*values)
        except (KeyError, IndexError, TypeError, ValueError):
            return False
        return True

    # choices

    def act_ct(self, node_id: str) -> None:
        self._desktop.choose_scan(self._node(node_id, "vtkMRMLScalarVolumeNode"))

    def act_model(self, name: str) -> None:
        self._desktop.leave_places()
        self._session.choose_model(next(e for e in self._desktop.models if e.name == name))

    def act_device(self, device: str) -> None:
        self._session.device = DEVICES[DEVICES.index(device)]

    def act_policy(self, policy: str) -> None:
        self._session.policy = Policy(policy)

    def act_into(self, node_id: str) -> None:
        self._session.target = self._node(node_id, "vtkMRMLSegmentationNode") if node_id else None

    def act_auto_rerun(self, on: bool) -> None:
        self._session.corrections.auto_rerun = bool(on)

    # organs

    def act_tick(self, organ: str, on: bool) -> None:
        self._session.tick_organ(organ, bool(on))

    def act_choose(self, organ: str) -> None:
        self._desktop.choose_organ(organ)

    def act_go(self, organ: str) -> None:
        self._desktop.choose_organ(organ)
        self._session.corrections.go_to(organ)

    def act_click(self, organ: str) -> None:
        self._desktop.place(organ, is_box=False)

    def act_box(self, organ: str) -> None:
        self._desktop.place(organ, is_box=True)

    def act_auto(self, organ: str) -> None:
        self._desktop.choose_organ(organ)
        self._session.corrections.auto_again(organ)

    def act_step(self, by: int) -> None:
        """The next or previous organ, for the keyboard."""
        names = list(self._session.rows)
        chosen = self._desktop.organ
        index = names.index(chosen) + (1 if by > 0 else -1) if chosen in names else 0
        self.act_go(names[index % len(names)])

    def act_click_chosen(self) -> None:
        self.act_click(self._desktop.organ)

    # run

    def act_run(self) -> None:
        if self._session.busy:
            self._session.cancel()
        elif self._session.can_run:
            self._desktop.leave_places()
            self._desktop.editor.stop()
            self._session.run()

    def act_redo(self) -> None:
        if self._session.can_run:
            self._session.corrections.redo()

    def act_answer(self, policy: str) -> None:
        self._session.answer(Policy(policy) if policy else None)

    def act_undo(self) -> None:
        self._session.undo()

    # review

    def act_review_organ(self, organ: str) -> None:
        self._session.reviewing.choose(organ if organ in self._session.reviewing.organs else "")

    def act_compare(self, node_id: str) -> None:
        self._session.reviewing.compare_with(self._node(node_id, "vtkMRMLSegmentationNode") if node_id else None)

    def act_jump(self, organ: str, index: int) -> None:
        self._session.reviewing.jump_to(organ, int(index))

    def act_next(self) -> None:
        self._session.reviewing.next()

    def act_previous(self) -> None:
        self._session.reviewing.previous()

    def act_seen(self, seen: bool = True) -> None:
        self._session.reviewing.mark_seen(seen=bool(seen))

    def act_toggle_seen(self) -> None:
        reviewing = self._session.reviewing
        if reviewing.current is not None:
            reviewing.mark_seen(seen=not reviewing.is_seen(reviewing.current))

    def act_sign(self, organ: str) -> None:
        self._session.reviewing.sign_off(organ)

    # editing and views

    def act_tool(self, tool: str) -> None:
        self._desktop.editor.choose(tool, self._desktop.organ)

    def act_brush(self, diameter_mm: float) -> None:
        self._desktop.editor.set_brush(float(diameter_mm))

    def act_preset(self, name: str) -> None:
        self._viewer.set_preset(next(p for p in PRESETS if p.name == name))

    def act_fill(self, percent: float) -> None:
        self._viewer.set_fill(float(percent) / 100, self._session.target)

    def act_all_boxes(self, on: bool) -> None:
        self._desktop.all_boxes = bool(on)

    def act_fit(self) -> None:
        self._viewer.app.display_manager.reset_views()

    # files

    def act_sample(self) -> None:
        self._desktop.load_sample()

    def act_save(self) -> None:
        self._desktop.save()

    def act_report(self) -> None:
        self._desktop.report()

    def act_dismiss(self) -> None:
        """The message about a file that was refused has been read."""
        self._desktop.refused = ""

    def _node(self, node_id: str, class_name: str) -> Any:
        node = self._session.scene.GetNodeByID(str(node_id))
        if node is None or not node.IsA(class_name):
            raise ValueError(node_id)
        return node

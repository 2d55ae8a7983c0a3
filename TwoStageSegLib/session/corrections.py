"""What a person does about one organ: click its centre, draw or drag its box, take the automatic place again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputRefused
from ..region import Point, Region
from ..scene import centre_views
from .markers import Owner
from .signals import Change

if TYPE_CHECKING:
    from .session import Session

_SETTLED_S = 0.3  # how long a box must have been at rest before its organ is redone


class Corrections:
    """Acts on single organs. Whatever moves an organ's region makes it stale; it is then redone alone.

    ``auto_rerun``: at once, when the mouse is released; else when the user asks (:meth:`redo`).
    """

    def __init__(self, session: Session):
        self._session = session
        self._touched_s: float | None = None
        self.auto_rerun = True

    def click_centre(self, organ: str) -> Any:
        """A point for the user to place in a view; returns its node, for the view's place mode."""
        return self._place(organ, is_box=False)

    def draw_box(self, organ: str) -> Any:
        """A box for the user to draw in a view; returns its node, for the view's place mode."""
        return self._place(organ, is_box=True)

    def stop_placing(self) -> None:
        """What was begun to be placed is taken away."""
        if self._session.markers.placing:
            self._session.markers.stop_placing()
            self._session.changed.emit(Change.ORGANS)

    @property
    def placing(self) -> str:
        """The organ whose point or box the user is placing, "" if none is."""
        return self._session.markers.placing

    def set_region(self, region: Region) -> None:
        """A click (``Region.click``) or box (``Region.box``) that did not come from a marker; it gets one."""
        session, row = self._session, self._session.rows[region.organ]
        session.markers.show(session.volume_node, region, row.rgb)
        self.moved((session.volume_node.GetID(), region.organ), region)

    def box_at(self, organ: str, centre_lps: Point) -> None:
        """A box of the organ's usual size around a point (LPS mm), to be dragged from there."""
        (x, y, z), (dz, dy, dx) = centre_lps, self._session.rows[organ].crop_zyx_mm
        bounds = (x - dx / 2, x + dx / 2, y - dy / 2, y + dy / 2, z - dz / 2, z + dz / 2)
        self.set_region(Region.box(organ, bounds))

    def auto_again(self, organ: str) -> None:
        """Forget the user's place; the organ is located by the model and redone."""
        session, row = self._session, self._session.rows[organ]
        session.problems.solve(organ)
        row.region, row.stale, row.kept = None, True, False
        if session.volume_node is not None:
            session.markers.remove((session.volume_node.GetID(), organ))
        self._touch()

    def redo(self) -> bool:
        """Run what is stale, and nothing else. True if it has begun."""
        self._touched_s = None
        return bool(self.stale) and self._session.run(self.stale)

    @property
    def stale(self) -> tuple[str, ...]:
        """Organs that were moved after they were segmented."""
        return tuple(n for n, row in self._session.rows.items() if row.stale)

    def go_to(self, organ: str) -> bool:
        """Centre the slice views on the organ; False if nobody knows where it is."""
        region = self._session.rows[organ].region
        if region is None or region.centre_lps is None:
            return False
        centre_views(self._session.scene, region.centre_lps)
        return True

    def recall(self) -> None:
        """Boxes and points of a loaded scene are the organs' regions again; nothing is redone for that."""
        session = self._session
        if session.volume_node is None:
            return
        colours = {name: row.rgb for name, row in session.rows.items()}
        for region in session.markers.recall(session.volume_node, colours):
            session.rows[region.organ].region = region
            session.changed.emit(Change.ORGANS)

    def hold_back(self) -> None:
        """Do not redo by itself what is stale now."""
        self._touched_s = None

    def tick(self) -> None:
        """Redo what was moved, once it is at rest."""
        session, touched = self._session, self._touched_s
        if touched is None or not self.auto_rerun or session.busy or session.question is not None:
            return
        if session.markers.held or session.markers.placing or session.clock() - touched < _SETTLED_S:
            return
        self.redo()

    def moved(self, owner: Owner, region: Region) -> None:
        """A person has placed or moved a marker, of the chosen volume or of another."""
        session = self._session
        volume_id, organ = owner
        if session.volume_node is None or session.volume_node.GetID() != volume_id or organ not in session.rows:
            return
        row = session.rows[organ]
        row.region, row.stale, row.kept = region, True, False
        volume = session.check_volume()
        try:
            if volume is not None:
                region.check_inside(volume.geometry)
            session.problems.solve(organ)
        except InputRefused as error:
            session.problems.put(organ, str(error))
        self._touch()

    def removed(self, owner: Owner) -> None:
        """A person has deleted a marker: nobody says any more where the organ is."""
        session = self._session
        if session.volume_node is not None and session.volume_node.GetID() == owner[0] and owner[1] in session.rows:
            row = session.rows[owner[1]]
            row.region, row.stale = None, False
            session.problems.solve(owner[1])
            session.changed.emit(Change.ORGANS)

    def _place(self, organ: str, is_box: bool) -> Any:
        session = self._session
        if session.volume_node is None:
            return None
        node = session.markers.place(session.volume_node, organ, session.rows[organ].rgb, is_box)
        session.changed.emit(Change.ORGANS)
        return node

    def _touch(self) -> None:
        self._touched_s = self._session.clock()
        self._session.changed.emit(Change.ORGANS)

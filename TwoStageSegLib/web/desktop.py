"""Everything of one browser window: viewer, session, editor, and the binding between them and the page's state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import TwoStageSegError
from ..mask import Mask
from ..scene import Existing, node_from_volume, put_mask
from ..session import Change, Installed, Session, SubprocessTransport, installed_models
from ..session.results import save_report
from ..session.timings import timings_file
from ..volume import Volume
from . import review, saving, state
from .editing import Editor
from .unpack import read_upload_onto
from .viewer import PRESETS, Viewer

TICK_S = 0.1
SAMPLE_SEED = 0


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    model: str = ""
    device: str = "auto"


class Desktop:
    """Binds one session to the state of one page.

    Parameters
    ----------
    page : trame's state; every section of the page is one key. viewer : scene and views.
    folder : private folder of this window; files to be downloaded are made in ``folder/out``.
    module : what ``python -m`` runs as the worker (tests use another).

    Changes are collected and drawn at the next tick, so that a run that reports often does not flood the page.
    """

    def __init__(self, page: Any, viewer: Viewer, folder: Path, wishes: Wishes, module: str):
        self.page, self.viewer, self.folder = page, viewer, folder
        self.session = Session(viewer.scene, SubprocessTransport(module=module), timings_file())
        self.session.device = wishes.device
        self.session.warm_up.allowed = True
        self.editor = Editor(self.session, viewer)
        self.models: list[Installed] = installed_models()
        self.organ = self.refused = self.busy_with = ""
        self.all_boxes = False
        self.offered: dict[str, Any] = {}
        self._dirty: set[Change] = set(Change)
        self._dressed: Any = None
        self.session.changed.connect(self._dirty.add)
        usable = [e for e in self.models if e.model is not None]
        chosen = next((e for e in self.models if e.name == wishes.model), usable[0] if usable else None)
        self.session.choose_model(chosen)
        page.presets = [p.name for p in PRESETS]
        self.draw()

    async def ticking(self) -> None:
        """Deliver what the worker says and draw what has changed, until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def tick(self) -> None:
        self.session.tick()
        self.editor.follow()
        if not self.session.corrections.placing and self.viewer.placing:
            self.viewer.stop_placing()
        self.draw()

    def draw(self) -> None:
        """Bring every section of the page up to date; trame sends only what differs."""
        dirty = set(self._dirty)
        self._dirty.clear()
        session, page = self.session, self.page
        if self.organ not in session.rows:
            self.organ = next(iter(session.rows), "")
        if dirty & {Change.TARGET, Change.RUN}:
            self._dress()
        self._show_markers()
        with page:
            if dirty:
                page.ct = state.ct(session)
                page.model = state.model(session, self.models)
                page.into = state.into(session)
                page.question = state.question(session)
                page.log = session.log.text
                page.review = review.shown(session)
            page.organs = state.organs(session, self.organ, session.volume_node is not None)
            page.run = state.run(session)
            page.edit = {
                "tool": self.editor.tool,
                "organ": self.editor.organ,
                "size": self.editor.diameter_mm,
                "possible": self.editor.possible,
            }
            page.files = {"refused": self.refused, "busy": self.busy_with}
            page.offered = self.offered

    # what a person does that takes more than the session

    def choose_scan(self, node: Any) -> None:
        if node is not self.session.volume_node:
            self.leave_places()
            self.editor.stop()
            self.session.choose_volume(node)
            self.viewer.show(node)

    def choose_organ(self, organ: str) -> None:
        self.session.rows[organ]  # raises KeyError for an organ that this model does not know
        self.organ = organ

    def place(self, organ: str, is_box: bool) -> None:
        """Begin to place; pressed again, it is called off."""
        corrections = self.session.corrections
        self.choose_organ(organ)
        again = corrections.placing == organ
        self.leave_places()
        if again:
            return
        self.editor.stop()
        node = corrections.draw_box(organ) if is_box else corrections.click_centre(organ)
        if node is not None:
            self.viewer.start_placing(node)

    def leave_places(self) -> None:
        """What was begun to be placed is taken away."""
        if self.session.corrections.placing:
            self.viewer.stop_placing()
            self.session.corrections.stop_placing()

    def load_sample(self) -> None:
        from ..sample.phantom import generate

        def made() -> Volume:
            return generate(SAMPLE_SEED, surroundings=True).volume

        self.load(made, "Sample CT", "making a synthetic patient")

    def load(self, read: Callable[[], Volume], name: str, doing: str) -> None:
        """Read a scan in a thread, while the page stays alive, and put it on the desk."""
        self._begin(read, lambda volume: self._put(volume, name), doing)

    def load_segmentation(self, file: Path, name: str) -> None:
        """Read a segmentation of the scan that is on the desk: to compare with, or to go on with."""
        volume = self.session.check_volume()
        if volume is None:
            self.refused = "A segmentation was sent, but no CT is open that it could belong to. Open the CT first."
            return

        def put(masks: list[Mask]) -> None:
            node = self.session.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
            for mask in masks:
                put_mask(node, mask, self.session.volume_node, Existing.BESIDE, {})
            node.SetDisplayVisibility(False)
            self._dirty.add(Change.TARGET)

        self._begin(lambda: read_upload_onto(file, volume), put, "reading the segmentation")

    def _begin(self, read: Callable[[], Any], put: Callable[[Any], None], doing: str) -> None:
        """One file at a time."""
        if self.busy_with:
            self.refused = "Wait until the file before has been read, then send this one again."
            return
        self.busy_with, self.refused = doing, ""
        self._loading = asyncio.get_running_loop().create_task(self._read(read, put))

    async def _read(self, read: Callable[[], Any], put: Callable[[Any], None]) -> None:
        try:
            put(await asyncio.get_running_loop().run_in_executor(None, read))
        except TwoStageSegError as error:
            self.refused = str(error)
        except MemoryError:
            self.refused = "The image does not fit into this computer's memory. Crop it."
        except Exception as error:
            self.session.log.add(f"unexpected {type(error).__name__} while a file was read")
            self.refused = "The file could not be read. Export it again, or send the log with a report."
        finally:
            self.busy_with = ""
            self.draw()

    def _put(self, volume: Volume, name: str) -> None:
        node = node_from_volume(self.session.scene, volume, name)
        for notice in volume.notices:
            self.session.log.add(notice)
        self.choose_scan(node)
        model = self.session.model
        if model is not None and model.manifest.input.modality == "CT":
            self.viewer.set_preset(PRESETS[0])

    def save(self) -> None:
        self._offer(saving.save_segmentation, "segmentation.seg.nrrd")

    def report(self) -> None:
        self._offer(save_report, "report.html")

    def _offer(self, write: Callable[[Session, Path], None], name: str) -> None:
        """Make a file and tell the page to fetch it."""
        number = self.offered.get("number", 0) + 1
        out = self.folder / "out"
        out.mkdir(mode=0o700, exist_ok=True)
        file = out / f"{number}-{name}"
        try:
            write(self.session, file)
        except TwoStageSegError as error:
            self.refused = str(error)
            return
        for old in out.iterdir():
            if old != file:
                old.unlink(missing_ok=True)
        self.offered = {"number": number, "file": file.name, "name": name}

    def close(self) -> None:
        """The window is closed: the worker ends, and its folder is deleted."""
        self.session.close()

    def _show_markers(self) -> None:
        """The chosen organ's box or point with its handles; the others, if wanted, as mere outlines: seven boxes with
        their handles hide the patient."""
        volume = self.session.volume_node
        for organ in self.session.rows if volume is not None else ():
            node = self.session.markers.node_of(volume.GetID(), organ)
            if node is None or node.GetDisplayNode() is None:
                continue
            display = node.GetDisplayNode()
            mine = organ == self.organ and not self.editor.tool  # under a brush a handle would take the mouse
            display.SetVisibility(mine or self.all_boxes)
            node.SetLocked(not mine)
            if node.IsA("vtkMRMLMarkupsROINode"):
                display.SetHandlesInteractive(mine)

    def _dress(self) -> None:
        target = self.session.target
        if target is None:
            return
        if target is not self._dressed:
            self._dressed = target
            self.viewer.dress(target)
        if not self.session.busy:
            self.viewer.show_surfaces(target)

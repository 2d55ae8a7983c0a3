"""The messages between the worker process and its client, as dataclasses of plain values.

Client to worker: :class:`Load`, :class:`Open`, :class:`Run`, :class:`Review`, :class:`Cancel`, :class:`Close`.
Everything else is an event from worker to client. Arrays never travel in a message: it names a ``.npy`` file in the
client's private folder (see ``handover``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .errors import TwoStageSegError
from .geometry import Geometry


class ProtocolError(TwoStageSegError):
    """A line, or what it says, is no message of this protocol."""

    def __init__(self, message: str):
        super().__init__("E_PROTOCOL", message)


@dataclass(frozen=True)
class GridMessage:
    """A :class:`Geometry` as plain lists; every float survives the journey bit by bit."""

    shape_zyx: list[int]
    origin_lps: list[float]
    spacing_xyz_mm: list[float]
    direction: list[list[float]]

    @classmethod
    def of(cls, geometry: Geometry) -> GridMessage:
        g = geometry
        return cls(list(g.shape_zyx), list(g.origin_lps), list(g.spacing_xyz_mm), [list(row) for row in g.direction])

    def geometry(self) -> Geometry:
        if [len(self.shape_zyx), len(self.origin_lps), len(self.spacing_xyz_mm), *map(len, self.direction)] != [3] * 6:
            raise ProtocolError("A grid needs three sizes, origins, spacings and a 3x3 direction.")
        (k, j, i), (ox, oy, oz), (sx, sy, sz) = self.shape_zyx, self.origin_lps, self.spacing_xyz_mm
        return Geometry((k, j, i), (ox, oy, oz), (sx, sy, sz), tuple((r[0], r[1], r[2]) for r in self.direction))


@dataclass(frozen=True)
class Load:
    """Load a bundle by installed name or folder; answered by :class:`ModelReady` or :class:`Error`."""

    model: str
    device: str = "auto"


@dataclass(frozen=True)
class Open:
    """Take over a volume: ``voxels`` is a file name in the private folder; answered by :class:`VolumeReady`."""

    voxels: str
    grid: GridMessage
    modality: str = ""


@dataclass(frozen=True)
class Run:
    """Locate (what has no region) and segment. ``organs`` None means all; ``regions`` as ``Region.as_json``."""

    run: int
    organs: list[str] | None = None
    regions: list[dict[str, Any]] = field(default_factory=list)
    locate_only: bool = False


@dataclass(frozen=True)
class Review:
    """Judge a mask that a person has edited; ``mask`` and ``start_zyx`` as in :class:`Organ`, ``region`` as
    ``Region.as_json``; answered by :class:`Reviewed` or :class:`Error`."""

    review: int
    organ: str
    region: dict[str, Any]
    mask: str
    start_zyx: list[int]


@dataclass(frozen=True)
class Cancel:
    run: int


@dataclass(frozen=True)
class Close:
    """Stop now; the worker exits with 0."""


@dataclass(frozen=True)
class Hello:
    """The first line of every worker."""

    protocol: int
    tool_version: str
    pid: int


@dataclass(frozen=True)
class ModelReady:
    name: str
    version: str
    sha256: str
    organs: list[str]
    device: str


@dataclass(frozen=True)
class VolumeReady:
    """The voxels are mapped; where the system allows it their file may be deleted now."""

    voxels: str


@dataclass(frozen=True)
class Progress:
    run: int
    stage: str
    organ: str
    fraction: float


@dataclass(frozen=True)
class Organ:
    """One organ's result. ``mask`` is None if not located, empty, or only located on request; ``review`` as
    ``OrganReview.as_json``, None without a mask."""

    run: int
    organ: str
    region: dict[str, Any]
    mask: str | None
    start_zyx: list[int]
    touches_edge: bool
    seconds: dict[str, float]
    review: dict[str, Any] | None = None


@dataclass(frozen=True)
class Reviewed:
    """Findings about an edited organ: ``result`` as ``OrganReview.as_json``, None if the model cannot judge it."""

    review: int
    organ: str
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Notice:
    """Something to tell the user that is no error, such as a GPU that ran out of memory."""

    text: str


@dataclass(frozen=True)
class Done:
    run: int
    device: str
    seconds: dict[str, float]
    notices: list[str]


@dataclass(frozen=True)
class Cancelled:
    run: int


@dataclass(frozen=True)
class Error:
    """A command failed. ``about`` is "load", "open", "run", "review", "protocol" or "worker"; ``run`` is set for
    a run."""

    code: str
    message: str
    about: str
    run: int | None = None


@dataclass(frozen=True)
class Heartbeat:
    """Sent every second: the process is alive, also while it computes."""


Command = Load | Open | Run | Review | Cancel | Close
Event = Hello | ModelReady | VolumeReady | Progress | Organ | Reviewed | Notice | Done | Cancelled | Error | Heartbeat

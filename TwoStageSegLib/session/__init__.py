"""The session: what a user does, without a toolkit. Slicer's panel and the browser page are two views of it.

``session`` holds the acts (run, answer, cancel, undo), ``desk`` the choices, ``corrections`` what is done about one
organ, ``plan`` what a run would overwrite, ``forecast`` how long it will take, ``runs`` the run, ``target`` the
segmentation, ``markers`` boxes and points, ``link`` the talk with the worker.
"""

from .models import Installed, description, installed_models
from .notes import MODEL, RUN, TARGET, VOLUME
from .organs import Note, OrganState, RowStatus
from .plan import Question
from .session import Session
from .signals import Change, Signal
from .target import Origin, Policy
from .transport import SubprocessTransport, Transport

__all__ = [
    "MODEL",
    "RUN",
    "TARGET",
    "VOLUME",
    "Change",
    "Installed",
    "Note",
    "OrganState",
    "Origin",
    "Policy",
    "Question",
    "RowStatus",
    "Session",
    "Signal",
    "SubprocessTransport",
    "Transport",
    "description",
    "installed_models",
]

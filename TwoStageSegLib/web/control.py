"""What the front and a window process say to each other: one JSON object per line, over the process's own pipes.

The front says where an uploaded file lies and that the window is over; the process says that it is ready and which
folders of assets the page needs. Nothing of it comes from a browser unchecked.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

ADDRESS = "TWOSTAGESEG_WINDOW_ADDRESS"
"""Environment variable with the address, and the secret in it, at which a window process calls the front."""

_LABEL = re.compile(r"[^\w .()+-]+")
_LABEL_LENGTH = 60


@dataclass(frozen=True)
class OpenFile:
    """``file``: its place below the window's ``in`` folder, given by the front. ``label``: what the page shows."""

    file: str
    label: str


@dataclass(frozen=True)
class Ready:
    """``serve``: folders of assets by the first part of their address; "" is the page itself."""

    serve: dict[str, str]


def line_of(message: OpenFile | Ready) -> bytes:
    return (json.dumps({"kind": type(message).__name__, **asdict(message)}) + "\n").encode()


def message_of(line: bytes) -> OpenFile | Ready | None:
    """None for what is no message (libraries print)."""
    try:
        values: dict[str, Any] = json.loads(line)
        kind = values.pop("kind")
        return {"OpenFile": OpenFile, "Ready": Ready}[kind](**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def label_of(text: str) -> str:
    """A client's file name as words for the screen; it names no file here."""
    return _LABEL.sub(" ", text.replace("\\", "/").rpartition("/")[2]).strip()[:_LABEL_LENGTH] or "CT"

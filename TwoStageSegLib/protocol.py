"""The worker's protocol: one message per line, as a JSON object, checked both ways.

The framing is independent of how bytes move: Popen here, QProcess in Slicer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from .messages import (
    Cancel,
    Cancelled,
    Close,
    Command,
    Done,
    Error,
    Event,
    Heartbeat,
    Hello,
    Load,
    ModelReady,
    Notice,
    Open,
    Organ,
    Progress,
    ProtocolError,
    Review,
    Reviewed,
    Run,
    VolumeReady,
)
from .strict_json import StrictError, build, loads

VERSION = 2
MAX_LINE_BYTES = 1_000_000

COMMANDS: dict[str, type] = {"load": Load, "open": Open, "run": Run, "review": Review, "cancel": Cancel, "close": Close}
EVENTS: dict[str, type] = {
    "hello": Hello,
    "model_ready": ModelReady,
    "volume_ready": VolumeReady,
    "progress": Progress,
    "organ": Organ,
    "reviewed": Reviewed,
    "notice": Notice,
    "done": Done,
    "cancelled": Cancelled,
    "error": Error,
    "heartbeat": Heartbeat,
}
_NAMES = {kind: name for table in (COMMANDS, EVENTS) for name, kind in table.items()}


def encode(message: Command | Event) -> bytes:
    """One line, newline included."""
    return json.dumps({"type": _NAMES[type(message)], **asdict(message)}, allow_nan=False).encode() + b"\n"


def decode_command(line: bytes) -> Command:
    """The command in a line. Raises ProtocolError."""
    return _decode(line, COMMANDS)


def decode_event(line: bytes) -> Event:
    """The event in a line. Raises ProtocolError."""
    return _decode(line, EVENTS)


def _decode(line: bytes, kinds: dict[str, type]) -> Any:
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"A line is longer than {MAX_LINE_BYTES} bytes.")
    try:
        value = loads(line)
        if not isinstance(value, dict):
            raise StrictError("not an object")
        name = value.pop("type", None)
        if not isinstance(name, str) or name not in kinds:
            raise StrictError(f"of the unknown type {str(name)[:40]!r}")
        return build(kinds[name], value, name)
    except StrictError as error:
        raise ProtocolError(f"A line is no message: {error}.") from None


class LineBuffer:
    """Cuts a stream of bytes, which arrives in arbitrary pieces, into lines.

    Of an overlong line only the first ``MAX_LINE_BYTES + 1`` bytes are kept, enough for ``decode`` to refuse it.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every line completed by ``data``, without its newline."""
        *ends, rest = data.split(b"\n")
        for part in ends:
            self._append(part)
            line = bytes(self._pending)
            self._pending.clear()
            yield line
        self._append(rest)

    def _append(self, part: bytes) -> None:
        self._pending += part[: MAX_LINE_BYTES + 1 - len(self._pending)]

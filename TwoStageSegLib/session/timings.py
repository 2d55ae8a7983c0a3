"""How long it took last time, per model and device: the honest estimate that is shown before a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import TwoStageSegError
from ..outputs.atomic import atomic_file

_LIMIT = 100_000  # bytes


def timings_file() -> Path:
    """Where the measured times of this user are kept."""
    return Path.home() / ".twostageseg" / "timings.json"


@dataclass(frozen=True)
class Timing:
    """Seconds of the parts of a run. ``load``: process start, model, self-test; ``segment``: one organ."""

    device: str
    load: float
    locate: float
    segment: float


class Timings:
    """Timings by model hash and wanted device, kept in one small file; a file that cannot be read counts as empty.

    Parameters
    ----------
    path : the file; None keeps them in memory only.
    """

    def __init__(self, path: Path | None):
        self._path = path
        self._known = _read(path) if path is not None else {}

    def of(self, sha256: str, device: str) -> Timing | None:
        return self._known.get(f"{sha256[:16]} {device}")

    def put(self, sha256: str, device: str, timing: Timing) -> None:
        """Remember, and write the file; that it cannot be written is no reason to disturb anybody."""
        self._known[f"{sha256[:16]} {device}"] = timing
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(self._path) as temporary:
                temporary.write_text(json.dumps({k: asdict(t) for k, t in self._known.items()}), encoding="utf-8")
        except (OSError, TwoStageSegError):
            return


def estimate_s(timing: Timing | None, organs: int, cold: bool, locate: bool) -> float | None:
    """Seconds for a run of ``organs``; ``cold``: the model has to be loaded; ``locate``: some organ has no region."""
    if timing is None:
        return None
    return timing.segment * organs + (timing.load if cold else 0.0) + (timing.locate if locate else 0.0)


def _read(path: Path) -> dict[str, Timing]:
    try:
        if path.stat().st_size > _LIMIT:
            return {}
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(key): Timing(str(v["device"]), float(v["load"]), float(v["locate"]), float(v["segment"]))
            for key, v in raw.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}

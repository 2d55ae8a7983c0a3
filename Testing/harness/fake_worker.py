"""The real worker process around the fake system: ``python -m Testing.harness.fake_worker --folder ...``."""

from __future__ import annotations

import os
import sys

from TwoStageSegLib import pipeline, worker
from TwoStageSegLib.device import Device

from .fake_reviews import ASKED, fake_judge
from .fake_system import FakeSystem

REHEARSES = "TWOSTAGESEG_TEST_REHEARSES"  # whether it prepares the first run, as the real one does


def fake_device(wanted: str) -> Device:
    return Device("cpu", f"CPU: fake, {wanted}", half=False)


if __name__ == "__main__":
    pipeline.create = FakeSystem  # type: ignore[assignment]
    pipeline.choose_device = fake_device
    if os.environ.get(ASKED):
        pipeline.Pipeline._judge = fake_judge  # type: ignore[method-assign]
    if not os.environ.get(REHEARSES):
        worker.rehearse = lambda pipeline, cancelled: None
    print("what a launcher prints before the worker has taken stdout must not disturb the protocol")
    sys.exit(worker.main())

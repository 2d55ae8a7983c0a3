"""What the tests of this room share: how a refusal must look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from Testing.harness.dicom import CANARY
from TwoStageSegLib.errors import InputRefused
from TwoStageSegLib.io import read_volume

Refused = Callable[[Path, str], str]


@pytest.fixture
def refused() -> Refused:
    """``refused(path, code)`` reads and returns the message: one line, short, no patient data, no folder."""

    def check(path: Path, code: str) -> str:
        with pytest.raises(InputRefused) as caught:
            read_volume(path)
        text = str(caught.value)
        assert (caught.value.code, caught.value.exit_code) == (code, 3), text
        assert "\n" not in text and 20 < len(text) < 220 and text.endswith((".", "?")), text
        assert CANARY not in text and str(path.parent) not in text, text
        # a traceback shows no other error either, whose message may hold paths or tags
        assert caught.value.__context__ is None or caught.value.__suppress_context__
        return text

    return check

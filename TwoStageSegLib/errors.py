"""What can go wrong, said for the person at the screen: what is wrong, where, what to do.

Every error carries a stable ``code`` (for tests and scripts) and the command line's exit code.
"""

from __future__ import annotations


class TwoStageSegError(Exception):
    """Base of every expected failure. ``str(error)`` is one line fit to be shown."""

    exit_code = 1

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class UsageError(TwoStageSegError):
    """The call does not make sense (unknown organ, box without a number, ...)."""

    exit_code = 2


class InputRefused(TwoStageSegError):
    """The image, box, click or model cannot be used; nothing was written."""

    exit_code = 3


class ModelRefused(InputRefused):
    """A model bundle that is damaged, changed or not understood. Raised before a weight is used."""

    def __init__(self, message: str):
        super().__init__("E_MODEL", message)


class Cancelled(TwoStageSegError):
    """The user pressed Cancel. Nothing was written."""

    def __init__(self) -> None:
        super().__init__("E_CANCELLED", "Cancelled. Nothing was written.")

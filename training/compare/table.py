"""Markdown tables and how numbers are written in them."""

from __future__ import annotations

from collections.abc import Sequence

NOT_KNOWN = "-"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(r) + " |" for r in rows)]


def number(value: float | None, digits: int) -> str:
    return NOT_KNOWN if value is None else f"{value:.{digits}f}"


def interval(bounds: tuple[float, float] | None, digits: int) -> str:
    return "" if bounds is None else f"[{bounds[0]:.{digits}f}, {bounds[1]:.{digits}f}]"


def p_value(p: float | None) -> str:
    """``< 0.001`` as papers/000 prints it."""
    if p is None:
        return NOT_KNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}"

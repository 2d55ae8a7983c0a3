"""JSON into typed dataclasses, strictly: what is unknown, missing, doubled or of the wrong type is an error.

Used wherever data comes from outside: a bundle's manifest, a line of the worker's protocol.
"""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


class StrictError(ValueError):
    """The JSON is not what was agreed. ``str(error)`` names the place and the reason."""


def loads(text: bytes) -> Any:
    """Parse UTF-8 JSON without NaN, infinities or doubled keys. Raises StrictError."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise StrictError(f"not valid JSON: {error}") from None


def build(kind: Any, value: Any, place: str) -> Any:
    """``value`` as ``kind``: a dataclass, ``list[...]``, ``dict[str, ...]``, ``X | None`` or a scalar type.

    Parameters
    ----------
    kind : the type wanted. value : plain values as JSON gives them. place : how messages name the value.

    Raises
    ------
    StrictError : an unknown or missing key, or a wrong type; an integer passes as a float, a bool never as a number.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return None if value is None else build(next(a for a in get_args(kind) if a is not type(None)), value, place)
    if origin is list:
        if not isinstance(value, list):
            raise StrictError(f"{place} must be a list")
        return [build(get_args(kind)[0], v, f"{place}[{i}]") for i, v in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise StrictError(f"{place} must be an object")
        return {k: build(get_args(kind)[1], v, f"{place}.{str(k)[:40]}") for k, v in value.items()}
    if is_dataclass(kind):
        return _build_dataclass(kind, value, place)
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
            raise StrictError(f"{place} must be a finite number")
        return float(value)
    if isinstance(value, bool) != (kind is bool) or not isinstance(value, kind):
        raise StrictError(f"{place} must be of type {kind.__name__}")
    return value


def _build_dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise StrictError(f"{place} must be an object")
    types = get_type_hints(kind)
    required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    if unknown := sorted(set(value) - set(types)):
        raise StrictError(f"{place} has the unknown key {str(unknown[0])[:40]!r}")
    if missing := sorted(required - set(value)):
        raise StrictError(f"{place} lacks the key {missing[0]!r}")
    return kind(**{k: build(types[k], v, f"{place}.{k}") for k, v in value.items()})


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond the range of a float
        return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a key appears twice")
    return dict(pairs)

"""JSON into typed dataclasses, strictly: what is unknown, missing, doubled or of the wrong type is an error.

Used wherever data comes from outside: a bundle's manifest, a line of the worker's protocol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

MAX_DEPTH = 32


class StrictError(ValueError):
    """The JSON is not what was agreed. ``str(error)`` names the place and the reason."""


def loads(text: bytes) -> Any:
    """Parse UTF-8 JSON without NaN, infinities, integers beyond 64 bits, doubled keys or deep nesting.

    Raises StrictError.
    """
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_int=_int_of_64_bits,
            parse_float=_finite_float,
            object_pairs_hook=_no_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise StrictError(f"not valid JSON: {str(error)[:150]}") from None
    _check_depth(value)
    return value


def build(kind: Any, value: Any, place: str) -> Any:
    """``value`` as ``kind``: a dataclass, ``list[...]``, ``tuple[...]`` (a list of that length), ``dict[str, ...]``,
    ``X | None`` or a scalar type.

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
    if origin is tuple:
        return _build_tuple(get_args(kind), value, place)
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


def _build_tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    """``tuple[X, ...]`` of any length, ``tuple[X, Y]`` of just that one."""
    if not isinstance(value, list):
        raise StrictError(f"{place} must be a list")
    each = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    if len(each) != len(value):
        raise StrictError(f"{place} must be a list of {len(each)}")
    return tuple(build(k, v, f"{place}[{i}]") for i, (k, v) in enumerate(zip(each, value, strict=True)))


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


def _int_of_64_bits(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ValueError("an integer is beyond 64 bits")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is beyond the range of a float")
    return number


def _check_depth(value: Any) -> None:
    """Refuse nesting that a later walk through the value would not survive."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [v for item in level if isinstance(item, list | dict) for v in _inside(item)]
        if not level:
            return
    raise StrictError(f"not valid JSON: lists and objects are nested more than {MAX_DEPTH} deep")


def _inside(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value if isinstance(value, list) else value.values()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a key appears twice")
    return dict(pairs)

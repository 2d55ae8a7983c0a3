"""strict_json: what is not exactly as agreed is refused, with the place in the message."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from TwoStageSegLib.strict_json import StrictError, build, loads


@dataclass(frozen=True)
class Inner:
    size: float


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    many: list[int]
    maybe: str | None = None
    table: dict[str, float] = field(default_factory=dict)
    pair: tuple[int, float] = (0, 0.0)
    words: tuple[str, ...] = ()


GOOD = {"name": "a", "inner": {"size": 2}, "many": [1, 2]}


def test_builds_nested_dataclasses_and_fills_defaults():
    assert build(Outer, GOOD, "x") == Outer("a", Inner(2.0), [1, 2], None, {})


def test_a_list_becomes_a_tuple_of_the_length_that_is_wanted():
    built = build(Outer, {**GOOD, "pair": [1, 2], "words": ["a", "b", "c"]}, "x")
    assert (built.pair, built.words) == ((1, 2.0), ("a", "b", "c")) and type(built.pair[1]) is float


def test_an_integer_becomes_a_float_where_a_float_is_wanted():
    assert type(build(Outer, GOOD, "x").inner.size) is float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "x has the unknown key 'extra'"),
        ({"name": 3}, "x.name must be of type str"),
        ({"many": [1, 2.5]}, r"x.many\[1\] must be of type int"),
        ({"many": [True]}, r"x.many\[0\] must be of type int"),
        ({"many": "12"}, "x.many must be a list"),
        ({"inner": [1]}, "x.inner must be an object"),
        ({"inner": {"size": True}}, "x.inner.size must be a finite number"),
        ({"inner": {"size": float("inf")}}, "x.inner.size must be a finite number"),
        ({"inner": {"size": 10**400}}, "x.inner.size must be a finite number"),
        ({"inner": {}}, "x.inner lacks the key 'size'"),
        ({"table": {"a": None}}, "x.table.a must be a finite number"),
        ({"maybe": 1}, "x.maybe must be of type str"),
        ({"pair": [1]}, "x.pair must be a list of 2"),
        ({"pair": 1}, "x.pair must be a list"),
        ({"pair": [1.5, 2]}, r"x.pair\[0\] must be of type int"),
        ({"words": ["a", 1]}, r"x.words\[1\] must be of type str"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(StrictError, match=message):
        build(Outer, {**GOOD, **change}, "x")


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"\xff{}",
        b"[" * 100_000,
    ],
)
def test_refuses_text_that_is_not_plain_json(text):
    with pytest.raises(StrictError, match="not valid JSON"):
        loads(text)

"""Specs that come as a mapping."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from hbspec.source import SourceError, load_mapping


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


def test_plain_data_comes_through_as_itself() -> None:
    given = {
        "a": {"b": [1, 2.5, None, True, "x"]},
        "c": (1, 2),
        "d": MappingProxyType({"e": Colour.RED}),
        Colour.RED: Number.ONE,
    }
    document = load_mapping(given)
    assert document.values == {"a": {"b": [1, 2.5, None, True, "x"]}, "c": [1, 2], "d": {"e": "red"}, "red": 1}
    assert {type(key) for key in document.values} == {str}
    assert (type(document.values["red"]), type(document.values["d"]["e"])) == (int, str)
    assert (document.file, document.directory, dict(document.spans), document.span(("a", "b"))) == (
        "<mapping>",
        None,
        {},
        None,
    )
    assert document.values["a"] is not given["a"]


def test_spellings_are_those_of_yaml() -> None:
    spellings = load_mapping({"a": 1e-5, "b": True, "c": None, "d": "x", "e": 10}).spellings
    assert spellings == {("a",): "1e-05", ("b",): "true", ("c",): "null", ("d",): "x", ("e",): "10"}


@pytest.mark.parametrize(
    ("value", "code"),
    [(Decimal(1), "HB006"), (b"x", "HB006"), ({1, 2}, "HB006"), (object(), "HB006"), (float("nan"), "HB005"),
    (float("inf"), "HB005"),
     (10**300, "HB005"), ("a\0b", "HB013"), ("\ud800", "HB013"), ({1: 2}, "HB003"), ({"a\x1b": 2}, "HB013"),
     ({None: 1}, "HB003")],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused(value: Any, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        load_mapping({"x": [value]})
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.route[:2], fault.span, fault.file) == (code, ("x", 0), None, "<mapping>")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SourceError) as caught:
        load_mapping({"a": Decimal(1), 2: 3, "b": float("nan")})
    assert sorted(fault.code for fault in caught.value.diagnostics) == ["HB003", "HB005", "HB006"]


def test_overrides_apply_and_have_places() -> None:
    document = load_mapping({"a": {"b": 1}}, overrides=["a.c=1e-4"])
    assert document.values == {"a": {"b": 1, "c": 1e-4}}
    assert document.spellings[("a", "c")] == "1e-4"
    assert document.spans[("a", "c")].file == "--set a.c=1e-4"

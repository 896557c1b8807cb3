"""Scalars of the YAML 1.2 core schema, as they come out of a document."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import fault, faults, read

from hbspec.source.scalars import UnusableNumberError, resolve

NUMBERS = {
    "1e-4": 1e-4, "2E5": 2e5, ".5": 0.5, "5.": 5.0, "-.5e+3": -500.0, "+1": 1, "010": 10, "-007": -7, "0o10": 8,
    "0x1F": 31,
    "0": 0, "-0": 0, "0.0": 0.0, "0e5": 0.0, "12e03": 12000.0,
}  # fmt: skip
TEXTS = [
    "yes", "no", "on", "off", "Yes", "y", "1:30", "16:00:00", "1_000", "2025-09-22", "2001-12-14t21:59:43.10-05:00",
    "0b101", "0o8", "0x", "0xg", "-0x1F", "1e", "e4", ".", "..5", "5..", "2m", "+", "-", "--1", "1-1", "tRUE",
    "nULL", "None", "NaN",
    "inf", "١٢", "=", "²",
]  # fmt: skip
WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "~": None, "null": None, "NULL": None, "": None}


@pytest.mark.parametrize(("text", "value"), [*NUMBERS.items(), *WORDS.items(), *((text, text) for text in TEXTS)])
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    got = read(f"a: {text}\n").values["a"] if text != "-" else resolve(text)
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize("text", [*NUMBERS, *WORDS])
@pytest.mark.parametrize("quote", "'\"")
def test_quotes_make_text(text: str, quote: str) -> None:
    assert read(f"a: {quote}{text}{quote}\n").values == {"a": text}


@pytest.mark.parametrize(
    "text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e999", "-1e400", "1e-400", "9" * 241, "0x" + "f" * 239]
)
def test_a_number_that_cannot_be_computed_with_is_refused(text: str) -> None:
    diagnostic = fault(f"a: [1, {text}]\n")
    assert (diagnostic.code, diagnostic.route) == ("HB005", ("a", 1))


def test_the_longest_numbers_are_still_finite_floats() -> None:
    assert math.isfinite(float(read(f"a: {'9' * 240}\n").values["a"]))
    assert math.isfinite(float(read(f"a: 0x{'f' * 238}\n").values["a"]))


def test_all_unusable_numbers_are_reported_at_once() -> None:
    with pytest.raises(UnusableNumberError, match="not a finite number"):
        resolve(".nan")
    text = "a: .nan\nb: [.inf, {c: 1e999}]\n"
    assert [diagnostic.route for diagnostic in faults(text)] == [("a",), ("b", 0), ("b", 1, "c")]


@given(st.integers(min_value=-(10**200), max_value=10**200))
def test_integers_are_exact(number: int) -> None:
    assert resolve(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_exact(number: float) -> None:
    value = resolve(repr(number))
    assert value == number
    assert isinstance(value, float)

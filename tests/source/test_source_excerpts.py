"""Excerpts: columns that keep pointing at their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import faults

from hbspec.diagnostics import Position, Span
from hbspec.source.excerpts import WIDTH, excerpt, printable, quoted, underline


def span(start: int, end: int, line: int = 1, last: int | None = None) -> Span:
    return Span("f", Position(line, start), Position(last or line, end))


def test_a_line_is_shown_as_it_is() -> None:
    assert excerpt("a: 1\r\nb: 2\rc: 3\nd", span(4, 5, 3)) == "c: 3"
    assert underline("c: 3", span(4, 5, 3)) == (3, 1)


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [("\x1b[31m", "␛[31m"), ("\t\0\x7f", "␉␀␡"), ("\u202e\u200b\x9b\ufeff", "����"), ("é😀", "é😀")],
)
def test_what_cannot_be_seen_is_shown(hidden: str, shown: str) -> None:
    assert printable(hidden) == shown
    assert excerpt(f"a: {hidden}", span(1, 2)) == f"a: {shown}"


def test_beyond_the_end_there_is_nothing() -> None:
    assert excerpt("a", span(1, 2, 7)) == ""
    assert underline("", span(1, 2, 7)) == (0, 1)


@given(st.integers(1, 5000), st.integers(1, 50), st.integers(0, 5000))
def test_the_underline_covers_the_place_in_a_long_line(column: int, width: int, rest: int) -> None:
    line = "." * (column - 1) + "X" * width + "," * rest
    place = span(column, column + width)
    shown = excerpt(line, place)
    offset, covered = underline(shown, place)
    assert len(shown) <= WIDTH
    assert shown[offset : offset + covered].rstrip("…").strip("X") == ""
    assert shown[offset] == "X"
    assert covered == min(width, len(shown) - offset)
    assert shown.strip("…") in line


def test_a_span_of_several_lines_is_underlined_to_the_end_of_the_first() -> None:
    place = span(4, 2, 1, 3)
    assert underline(excerpt("a: [b,\nc\n]", place), place) == (3, 3)


def test_quoted_text_is_short_and_clean() -> None:
    assert quoted("a\nb") == "`a␊b`"
    assert quoted("x" * 100, 10) == "`" + "x" * 9 + "…`"
    assert "hunter22" not in quoted("password: hunter22")


def test_a_clipped_secret_is_still_redacted() -> None:
    token = "hf_" + "a1" * 17
    line = "x" * 117 + " " + token
    assert token[:12] not in excerpt(line, span(130, 131))
    assert "a1a1" not in excerpt("y: " + "z" * 200 + " " + token, span(230, 231))


def test_a_fault_does_not_show_the_secret_beside_it() -> None:
    hidden = "aB3" * 11
    for fault in faults(f"environment: {{HF_TOKEN: x{hidden}, HF_TOKEN: again, hf_{hidden}: 1, hf_{hidden}: 2}}"):
        assert hidden not in fault.message
        assert hidden not in str(fault.excerpt)
        assert "***" in str(fault.excerpt)

"""Places as the protocol counts them, and the smallest change from one text to another."""

from __future__ import annotations

import pytest
from lsprotocol import types

from hbspec.lsp.positions import TextPlaces

LINE = 'name: "🙂é", 1'


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 14), ("utf-16", 11), ("utf-32", 10)])
def test_columns_are_counted_in_the_units_of_the_client(encoding, units):
    places = TextPlaces(f"x\r\n{LINE}", encoding)
    assert places.range_on(1, 0, 10).end == types.Position(1, units)
    assert places.column(types.Position(1, units)) == 10
    assert places.column(types.Position(1, 999)) == len(LINE)
    assert places.column(types.Position(7, 3)) == 0


TEXTS = ["", "a", "a\n", "a\nb", "a\nb\n", "b\n", "a\nx\nb\n", "a\nb\nc", "\n\n", "x"]


@pytest.mark.parametrize("before", TEXTS)
@pytest.mark.parametrize("after", TEXTS)
def test_a_change_makes_the_text_that_is_meant(before, after):
    where, text = TextPlaces(before, "utf-16").change(after)
    lines = before.split("\n")
    start, end = (sum(len(line) + 1 for line in lines[: at.line]) + at.character for at in (where.start, where.end))
    assert before[:start] + text + before[end:] == after

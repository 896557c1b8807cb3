"""Lines to conversations: what is read, what is passed over, what is said of the rest."""

from __future__ import annotations

import json

import pytest
from made_data import chat, line, written

from hbspec.dataset.broken import Broken, Place
from hbspec.dataset.files import read_records
from hbspec.dataset.lines import MAX_LINE_BYTES, TOO_LONG
from hbspec.dataset.records import Record, decoded

PLACE = Place("data.jsonl", 7)


def test_a_conversation():
    found = decoded(line("system:Be brief.", "user:Où ça ?", "assistant:Ici.").encode(), PLACE)
    assert found == Record(
        PLACE,
        ("system", "user", "assistant"),
        ("Be brief.", "Où ça ?", "Ici."),
        (b"Be brief.", "Où ça ?".encode(), b"Ici."),
        (),
    )


def test_what_stands_beside_the_messages_is_passed_over_and_beside_the_content_is_named():
    assert decoded(line("user:u", id=3).encode(), PLACE).extra == ()
    message = {"role": "assistant", "content": "", "tool_calls": [], "name": "x"}
    assert decoded(json.dumps({"messages": [message]}).encode(), PLACE).extra == ("name", "tool_calls")


@pytest.mark.parametrize("blank", [b"\n", b" \t\r\n", b"\r\n"])
def test_an_empty_line_is_neither_an_example_nor_a_fault(blank):
    assert decoded(blank, PLACE) is None


def test_a_byte_order_mark_and_windows_line_ends():
    assert isinstance(decoded(b"\xef\xbb\xbf" + chat("u", "a").encode() + b"\r\n", PLACE), Record)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"hello", "not JSON (Expecting value)"),
        (b'{"messages": "', "not JSON (Unterminated string)"),
        (b'{"messages": [}', "not JSON (Expecting value)"),
        (b'{"a": "\t"}', "not JSON (Invalid control character)"),
        (b"{} {}", "not JSON (Extra data)"),
        (b"[" * 100_000, "nested more than 100 deep"),
        (b'{"x": ' * 101 + b"0" + b"}" * 101, "nested more than 100 deep"),
        (b"1" * 5_000, "not JSON (a number that is too large to read)"),
        (b'"\xff"', "not UTF-8 text"),
        (TOO_LONG, "longer than 16 MiB"),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "a content holds half of a surrogate pair"),
        (b"{}", 'the line has no list "messages"'),
    ],
)
def test_what_cannot_be_used_is_said(text, says):
    found = decoded(text, PLACE)
    assert isinstance(found, Broken)
    assert found.place == PLACE
    assert says in found.reason


def test_brackets_in_texts_are_no_nesting():
    """A hundred deep is read, whatever stands in texts; unfinished and escaped ones among them."""
    text = json.dumps("[" * 500 + '\\"' + "{" * 500)
    deep = "[" * 98 + "]" * 98
    line = f'{{"messages": [{{"role": "user", "content": {text}}}], "x": {{"y": {deep}}}}}'
    assert isinstance(decoded(line.encode(), PLACE), Record)
    assert decoded(line.replace(deep, f"[{deep}]").encode(), PLACE).reason == "nested more than 100 deep"
    assert decoded(line[:200].encode(), PLACE).reason == "not JSON (Unterminated string)"


def test_a_broken_line_is_reported_and_the_rest_goes_on(tmp_path):
    files = written(tmp_path / "data.jsonl", chat("u", "a"), "{", "", b"\xff", chat("u", "b"))
    kinds = [(type(found), found.place.line) for found in read_records(files)]
    assert kinds == [(Record, 1), (Broken, 2), (Broken, 4), (Record, 5)]


def test_the_longest_line_that_is_read(tmp_path):
    shell = len(chat("u", ""))
    fits = chat("u", "x" * (MAX_LINE_BYTES - shell - 1))
    files = written(tmp_path / "data.jsonl", fits, fits + "  ", chat("u", "a"))
    found = list(read_records(files))
    assert [type(entry) for entry in found] == [Record, Broken, Record]
    assert [entry.place.line for entry in found] == [1, 2, 3]


def test_a_file_that_ends_early_is_said_and_the_next_is_read(tmp_path):
    first = written(tmp_path / "a.jsonl", b"PAR1", chat("u", "a"))
    second = written(tmp_path / "b.jsonl", chat("u", "a"))
    refused, example = read_records((*first, *second))
    assert (refused.rest, refused.place.line) == (True, 0)
    assert isinstance(example, Record)

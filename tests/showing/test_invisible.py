"""What cannot be seen: found where it hides, and left where it is part of a script."""

import pytest

from hbspec.showing import printable, shown
from hbspec.showing.invisible import CONTROL

HIDING = [
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    *"\u200b\u2060\ufeff\xad\u2028\u2029\u0085\x7f\x1b\x9b\u3164",
]
HIDING += ["\U000e0041", "\U000e007f", "\u200c", "\u200d"]
TEXT = [
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001f469\u200d\U0001f4bb",
    "\u0915\u094d\u200d\u0937",
    "\u05e9\u05dc\u05d5\u05dd",
    "caf\u00e9",
    "e\u0301",
    "\u2764\ufe0f",
]


@pytest.mark.parametrize("character", HIDING, ids=ascii)
def test_it_is_found_and_shown(character):
    assert CONTROL.search(f"na{character}me")
    assert len(printable(f"na{character}me")) == 5
    assert character not in shown(f"na{character}me")


@pytest.mark.parametrize("text", TEXT, ids=ascii)
def test_a_script_keeps_what_it_is_written_with(text):
    assert not CONTROL.search(text)
    assert shown(text) == text

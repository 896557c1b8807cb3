"""What is left of a result on a screen that does not hold it."""

from __future__ import annotations

import pytest

from hbspec.render.screen import fitted

PAGE = [
    *("It fits.", "It takes 2 h.", ""),
    *("Changes: 2 tried", "  set one thing", "    2 h, 3 USD", "  set another", "    1 h, 2 USD", "    and 1 more"),
    *("", "Plan", "  updates  300"),
]


def shown(room):
    lines = [(("", text),) if text else () for text in PAGE]
    return ["".join(text for _, text in line) for line in fitted(lines, room)]


def test_what_there_is_room_for_is_whole():
    assert shown(None) == shown(len(PAGE)) == PAGE


@pytest.mark.parametrize(
    ("room", "last"),
    [
        (11, "    and 1 more"),
        (10, "    2 h, 3 USD"),  # not `set another` without its figures
        (9, "    2 h, 3 USD"),
        (8, "    2 h, 3 USD"),
        (7, "It takes 2 h."),  # not a heading, nor a change without its figures
        (6, "It takes 2 h."),
        (1, "It fits."),
    ],
)
def test_a_screen_ends_with_a_whole_item(room, last):
    lines = shown(room)
    assert len(lines) <= max(room, 3)
    assert lines[-3:-1] == [last, ""]
    assert lines[-1] == f"{len(PAGE) - len(lines) + 2} more lines: add --full"

"""What can be written at a place of a text: the keys of its section, or the names and choices of its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog import Catalog
from hbspec.diagnostics import Route
from hbspec.lsp.offers import offered, offered_keys
from hbspec.lsp.outline import KEY, Outline
from hbspec.source.edited import scalar
from hbspec.source.layers import EXTENDS
from hbspec.spec import section_keys
from hbspec.spec.keys import annotation_of, choices_of, described, is_needed, section_of


class Cursor(NamedTuple):
    """A place in a text.

    Attributes:
        route: of a key, that of the mapping it is in; of a value, its own.
        is_key: whether a key is written there.
        start: the column at which the word before it begins, from 0.
    """

    route: Route
    is_key: bool
    start: int


class Proposal(NamedTuple):
    """A word that can be written: the text, a few words on it, and its place in the list."""

    word: str
    text: str
    about: str
    order: str
    is_key: bool


def cursor_after(before: str) -> Cursor:
    """The place at the end of a text."""
    outline = Outline(before)
    line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
    if outline.bracket:
        return _in_brackets(outline, line)
    rest = line.lstrip(" ")
    indent, dashed = len(line) - len(rest), False
    while rest.startswith("- "):
        dashed, inner = True, rest[1:].lstrip(" ")
        indent, rest = indent + len(rest) - len(inner), inner
    key = KEY.match(rest)
    if key is not None:
        after = rest[key.end() :]
        start = indent + key.end() + len(after) - len(after.lstrip(" "))
        return Cursor(outline.route, False, start)
    if not dashed:
        outline.leave(indent)
    is_entry = dashed and section_of(annotation_of(outline.route)) is None
    return Cursor(outline.route, not is_entry, indent)


def _in_brackets(outline: Outline, line: str) -> Cursor:
    word = line[max(line.rfind(sign) for sign in "{[,") + 1 :]
    at = len(line) - len(word)
    if not outline.levels[-1].bracket:  # a key is open
        word = line[max(line.rfind(sign) for sign in "{[,:") + 1 :]
        if outline.entries and outline.entries[-1].route == outline.route:
            at = min(outline.entries[-1].value_start, len(line))
        return Cursor(outline.route, False, at)
    is_key = outline.bracket == "{"
    return Cursor(outline.route, is_key, at + len(word) - len(word.lstrip(" ")))


def proposals(cursor: Cursor, whole: Outline, catalog: Catalog) -> Iterator[Proposal]:
    """Everything that can be written at a place, without the keys that its mapping has already."""
    if cursor.is_key:
        yield from _keys(cursor.route, whole)
        return
    for number, choice in enumerate(choices_of(cursor.route)):
        yield Proposal(choice, choice, "", f"0{number:04}", is_key=False)
    for name, about in offered(cursor.route, catalog).items():
        yield Proposal(name, scalar(name) if ":" in name else name, about, f"1{name}", is_key=False)


def _keys(route: Route, whole: Outline) -> Iterator[Proposal]:
    there = set(whole.keys_of(route))
    keys = section_keys(route)
    for number, key in enumerate(keys or ()):
        if key not in there:
            own = (*route, key)
            needed = is_needed(own)
            after = ":" if section_of(annotation_of(own)) else ": "
            said = described(own)
            yield Proposal(
                key, f"{key}{after}", f"needed. {said}" if needed else said, f"{not needed:d}{number:04}", is_key=True
            )
    if not route and EXTENDS not in there:
        yield Proposal(EXTENDS, f"{EXTENDS}: ", "Another spec that this one is merged over.", "2", is_key=True)
    for key, about in offered_keys(route).items():
        if key not in there:
            yield Proposal(key, f"{key}: ", about, f"1{key}", is_key=True)

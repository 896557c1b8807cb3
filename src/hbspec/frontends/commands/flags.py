"""The flags of a command line as the keys that the same program's file has.

Source: https://github.com/huggingface/transformers v5.23.0, src/transformers/hf_argparser.py: names with `-` for `_`,
booleans without a value, `--no_…` for those that are true by default, lists, and mappings as JSON.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Set
from typing import NamedTuple

from hbspec.diagnostics import Position, Span
from hbspec.frontends.commands.variables import Field
from hbspec.frontends.reading.foreign import ForeignKey, node_of
from hbspec.source.nodes import Entries, ListNode, MapNode, Node, ScalarNode

LINE_END = re.compile(r"\r\n|\r|\n")
NEGATIVE = re.compile(r"-[0-9.]")
SETTING = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
"""`key=value`, as OmegaConf takes it after the name of a file."""


class Places:
    """The places of a script: its name, and where its lines begin."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._starts = [0, *(found.end() for found in LINE_END.finditer(text))]

    def span(self, start: int, end: int) -> Span:
        """The place of some characters."""
        return Span(self.file, self.position(start), self.position(end))

    def position(self, index: int) -> Position:
        """The line and column of a character."""
        line = bisect_right(self._starts, index)
        return Position(line, index - self._starts[line - 1] + 1)

    def of(self, field: Field) -> Span:
        """The place of a word."""
        return self.span(field.start, max(field.end, field.start + 1))


class OpenFlag(NamedTuple):
    """A flag whose value only a shell tells: its name, what stands there, and its place."""

    key: str
    spelling: str
    span: Span


class Flags(NamedTuple):
    """What a command line says.

    Attributes:
        tree: its flags by their names.
        open: flags with a value that is not known.
        more: words that may be flags, and are not known.
        files: words without a flag, such as the name of a configuration.
    """

    tree: MapNode
    open: tuple[OpenFlag, ...]
    more: tuple[Field, ...]
    files: tuple[Field, ...]


def flags_of(words: Iterable[Field], places: Places, known: Set[str]) -> Flags:
    """The flags among some words; `known` are those by which `--no_…` is one that says no."""
    reader = _Reader(places, known)
    for word in words:
        reader.take(word)
    return reader.finished()


class _Reader:
    def __init__(self, places: Places, known: Set[str]) -> None:
        self._places, self._known = places, known
        self._entries: Entries = {}
        self._open: dict[str, OpenFlag] = {}
        self._more: list[Field] = []
        self._files: list[Field] = []
        self._flag: Field | None = None
        self._values: list[Field] = []

    def take(self, word: Field) -> None:
        """One word after another."""
        text = word.text
        is_flag = text.startswith("-") and len(text) > 1 and not NEGATIVE.match(text) and not text.startswith("-\n")
        if is_flag and not (word.is_open and "=" not in text):
            self._end_flag()
            self._flag = word
            return
        if word.is_open and (self._flag is None or self._values or "=" in self._flag.text):
            self._more.append(word)
        elif self._flag is None or "=" in self._flag.text:
            self._take_alone(word)
        else:
            self._values.append(word)

    def _take_alone(self, word: Field) -> None:
        setting = SETTING.fullmatch(word.text)
        if setting is None:
            self._files.append(word)
            return
        value = _part(word, word.text.index("=") + 1)
        self._put(setting[1], self._places.of(_part(word, 0, len(word.text) - len(value.text) - 1)), [value])

    def _end_flag(self) -> None:
        flag, values = self._flag, self._values
        self._flag, self._values = None, []
        if flag is None:
            return
        name, equals, _ = flag.text.partition("=")
        key = name.lstrip("-").replace("-", "_")
        if equals:
            values = [_part(flag, len(name) + 1)]
            flag = _part(flag, 0, len(name))
        self._put(key, self._places.of(flag), values)

    def _put(self, key: str, span: Span, values: list[Field]) -> None:
        unknown = next((value for value in values if value.is_open), None)
        self._open.pop(key, None)
        if unknown is not None:
            self._entries.pop(key, None)
            self._open[key] = OpenFlag(key, unknown.spelling, span)
            return
        positive = key.removeprefix("no_")
        if not values and key != positive and key not in self._known and positive in self._known:
            self._entries[positive] = (span, node_of(False, span))
        elif not values:
            self._entries[key] = (span, node_of(True, span))
        elif len(values) == 1:
            self._entries[key] = (span, self._node(key, values[0]))
        else:
            first, last = self._places.of(values[0]), self._places.of(values[-1])
            whole = Span(first.file, min(first.start, last.start), max(first.end, last.end))
            self._entries[key] = (span, ListNode([self._node(key, value) for value in values], whole))

    def _node(self, key: str, value: Field) -> Node:
        """A value as a YAML file would have it: a number, a boolean, a mapping or a text."""
        span, text = self._places.of(value), value.text
        if text.lstrip().startswith("{"):
            try:
                return node_of(json.loads(text), span)
            except (ValueError, RecursionError):
                pass
        scalar = ScalarNode(text, text, span)
        return ForeignKey((key,), text, scalar, None).natural

    def finished(self) -> Flags:
        """Everything that was said."""
        self._end_flag()
        tree = MapNode(self._entries, None)
        return Flags(tree, tuple(self._open.values()), tuple(self._more), tuple(self._files))


def _part(word: Field, start: int, end: int | None = None) -> Field:
    """A part of a word: its place, too, where every character has one."""
    text = word.text[start:end]
    places = word.places[start:end] if len(word.places) == len(word.text) else ()
    if not places:
        return word._replace(text=text, places=places)
    return word._replace(text=text, places=places, start=min(places), end=max(places) + 1)

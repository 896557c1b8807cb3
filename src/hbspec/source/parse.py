"""Parsing of YAML text to a tree of nodes.

The tree is built from PyYAML's event stream, not from its node graph: nesting is checked before any recursion, aliases
are counted before they are followed, and one pass finds every fault that leaves the rest of the text readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from hbspec.diagnostics import Position, Route, Span
from hbspec.source.characters import control_characters, position_of
from hbspec.source.comparisons import comparison
from hbspec.source.faults import Faults
from hbspec.source.limits import MAX_DEPTH, MAX_NODES
from hbspec.source.nodes import Entries, ListNode, MapNode, Node, ScalarNode, at
from hbspec.source.parser import PARSER
from hbspec.source.problems import Problems
from hbspec.source.scalars import Plain, UnusableNumberError, resolve
from hbspec.source.syntax import explain


def parse(text: str, file: str, problems: Problems, above: Route = ()) -> Node | None:
    """The tree of a YAML text; None if it has no value or cannot be read. Its faults go to `problems`.

    `above` is the route of the value.
    """
    faults = Faults(text, file, problems)
    if found := control_characters(text):
        faults.control_characters(found)
        return None
    return _Reader(text, file, faults, above).read()


@dataclass(slots=True)
class _Anchor:
    """The value marked `&name`, with its size and height; `node` is None while it is being read."""

    node: Node | None = None
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read. In a mapping, `key` is None if a key is expected next."""

    node: MapNode | ListNode
    start: Position
    flow: bool
    count: int
    anchor: _Anchor | None
    height: int = 1
    key: str | None = None
    key_span: Span | None = None
    kept: bool = True


class _TooLargeError(Exception):
    """Stops the reading where a limit is exceeded."""


class _Reader:
    def __init__(self, text: str, file: str, faults: Faults, above: Route) -> None:
        self._text = text
        self._file = file
        self._faults = faults
        self._above = above
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._count = 0
        self._root: Node | None = None

    def read(self) -> Node | None:
        parser = PARSER(self._text)
        try:
            if self._documents(parser):
                return self._root
            self._faults.empty()
        except yaml.MarkedYAMLError as error:
            self._explain(error)
        except _TooLargeError:
            pass
        finally:
            parser.dispose()
        return None

    def _documents(self, parser: Any) -> int:
        """Read to the end of the stream, and return the number of documents."""
        documents = 0
        while True:
            event = parser.get_event()
            kind = event.__class__
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, MapNode({}, None) if kind is MappingStartEvent else ListNode([], None))
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close(event)
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._faults.second_document(self._span(event))
                    return documents
            elif kind is StreamEndEvent:
                return documents

    def _scalar(self, event: Any) -> None:
        self._admit(event, 1, 0)
        span = self._span(event)
        text: str = event.value
        value: Plain = text
        if not event.style:
            value = self._plain(text, span)
        elif event.style == '"':
            if found := [] if text.isprintable() else control_characters(text):
                self._faults.escaped_control_character(text[found[0]], span, self._route())
        elif event.style in ">|":
            span = self._block_scalar(text, span, event)
        node = ScalarNode(value, text, span)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(node)
        if event.tag:
            self._faults.tag(event.tag, span, self._route())
        self._place(node, is_plain=not event.style)

    def _plain(self, text: str, span: Span) -> Plain:
        try:
            value = resolve(text)
        except UnusableNumberError as reason:
            if not self._expects_key():
                self._faults.unusable_number(text, reason, span, self._route())
            return 0
        if text[:1] in ("<", "≤", "≥") and not self._expects_key() and (found := comparison(text)):
            self._faults.comparison(*found, span, self._route())
        return value

    def _block_scalar(self, text: str, span: Span, event: Any) -> Span:
        """Check the header of a `|` or `>` string, and return its span without the line breaks after it."""
        written = self._text[event.start_mark.index : event.end_mark.index].rstrip()
        end = position_of(written, len(written))
        column = end.column + (span.start.column - 1 if end.line == 1 else 0)
        span = Span(span.file, span.start, Position(span.start.line + end.line - 1, column))
        if not text and event.style == ">" and (found := comparison(written)):
            self._faults.comparison(*found, span, self._route())
        return span

    def _open(self, event: Any, node: MapNode | ListNode) -> None:
        self._admit(event, 1, 1)
        if event.tag:
            self._faults.tag(event.tag, self._span(event), self._route())
        mark = event.start_mark
        anchor = None
        if event.anchor:
            anchor = self._anchors[event.anchor] = _Anchor()
        start = Position(mark.line + 1, mark.column + 1)
        self._frames.append(_Frame(node, start, bool(event.flow_style), self._count - 1, anchor))

    def _close(self, event: Any) -> None:
        frame = self._frames.pop()
        node = frame.node
        # libyaml ends a block at the next token, after blank lines and comments; its true end is its last value
        end = Position(event.end_mark.line + 1, event.end_mark.column + 1)
        if not frame.flow:
            last = _last(node)
            end = last.span.end if last and last.span else frame.start
        node.span = Span(self._file, frame.start, end)
        if frame.anchor:
            frame.anchor.node, frame.anchor.size, frame.anchor.height = node, self._count - frame.count, frame.height
        self._raise_height(frame.height)
        self._place(node)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        anchor = self._anchors.get(event.anchor)
        if anchor is None or anchor.node is None:
            say = self._faults.unknown_alias if anchor is None else self._faults.looping_alias
            say(event.anchor, span, self._route())
            self._place(ScalarNode(None, "", span), is_broken=True)
            return
        self._admit(event, anchor.size, anchor.height)
        self._raise_height(anchor.height)
        self._place(at(anchor.node, span))

    def _admit(self, event: Any, size: int, height: int) -> None:
        """Count a value before it is added.

        Raises:
            _TooLargeError: the spec would exceed a limit.
        """
        self._count += size
        if self._count <= MAX_NODES and len(self._frames) + height <= MAX_DEPTH:
            return
        self._faults.too_large(self._count, self._span(event), self._route())
        raise _TooLargeError

    def _raise_height(self, height: int) -> None:
        if self._frames:
            self._frames[-1].height = max(self._frames[-1].height, height + 1)

    def _place(self, node: Node, *, is_plain: bool = False, is_broken: bool = False) -> None:
        """Add a finished value to its place: the root, a list, a mapping, or as a key."""
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        if isinstance(frame.node, ListNode):
            frame.node.items.append(node)
        elif frame.key is None:
            self._key(frame, frame.node.entries, node, is_plain=is_plain, is_broken=is_broken)
        else:
            if frame.kept:
                frame.node.entries[frame.key] = (frame.key_span, node)
            frame.key = frame.key_span = None

    def _key(self, frame: _Frame, entries: Entries, node: Node, *, is_plain: bool, is_broken: bool) -> None:
        text = node.spelling if isinstance(node, ScalarNode) else "?"
        frame.key, frame.key_span, frame.kept = text, node.span, False
        if is_broken:
            return
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self._faults.key_not_text(node, self._route())
        elif text == "<<" and is_plain:
            self._faults.merge_key(node, self._route())
        elif (first := entries.get(text)) and first[0]:
            self._faults.duplicate_key(text, first[0], node, self._route())
        else:
            frame.kept = True

    def _expects_key(self) -> bool:
        return bool(self._frames) and isinstance(self._frames[-1].node, MapNode) and self._frames[-1].key is None

    def _route(self) -> Route:
        """The route of the value that is being read, or of the mapping whose key is being read."""
        parts = (len(frame.node.items) if isinstance(frame.node, ListNode) else frame.key for frame in self._frames)
        return (*self._above, *(part for part in parts if part is not None))

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._file, Position(start.line + 1, start.column + 1), Position(end.line + 1, end.column + 1))

    def _explain(self, error: yaml.MarkedYAMLError) -> None:
        opening = next((frame.start for frame in reversed(self._frames) if frame.flow), None)
        explanation = explain(error, self._text, self._file, opening=opening, expects_key=self._expects_key())
        self._faults.syntax(explanation, self._route())


def _last(node: MapNode | ListNode) -> Node | None:
    if isinstance(node, ListNode):
        return node.items[-1] if node.items else None
    return node.entries[next(reversed(node.entries))][1] if node.entries else None

"""YAML text to a tree of nodes.

The tree is built from PyYAML's event stream, not from its node graph: nesting is checked before anything recurses,
aliases are counted before they are followed, and one pass finds every fault that leaves the rest of the text readable.
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

from hbspec.diagnostics import Fix, Position, Route, Span, route_text
from hbspec.source import defects
from hbspec.source.characters import code_point, control_characters, position_of
from hbspec.source.comparisons import as_range
from hbspec.source.excerpts import printable, quoted
from hbspec.source.limits import MAX_DEPTH, MAX_NODES
from hbspec.source.nodes import Entries, ListNode, MapNode, Node, ScalarNode, at, kind_of
from hbspec.source.problems import Problems
from hbspec.source.scalars import Plain, UnusableNumberError, resolve
from hbspec.source.syntax import Scene, explain

# libyaml's parser where PyYAML was built with it; both speak the same events.
_PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, file: str, problems: Problems, above: Route = ()) -> Node | None:
    """The value that a text spells, or None if it spells none; what is wrong with it goes to `problems`.

    `above` is the route at which the value will stand.
    """
    if found := control_characters(text):
        position = position_of(text, found[0])
        others = f" ({len(found):,} such characters in all)" if found[1:] else ""
        problems.add(
            defects.CONTROL_CHARACTER,
            Span(file, position, Position(position.line, position.column + 1)),
            f"the text holds the character {code_point(text[found[0]])}, which cannot be seen{others}",
            "Remove it; lines end with LF or CR LF, and indentation is made of spaces",
        )
        return None
    return _Reader(text, file, problems, above).read()


@dataclass(slots=True)
class _Anchor:
    """What `&name` marked; None while its value is still being read."""

    node: Node | None = None
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Frame:
    """A map or list that is being read. In a map, `key` is None where a key is expected next."""

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
    """Stops the reading where a limit is passed."""


class _Reader:
    def __init__(self, text: str, file: str, problems: Problems, above: Route) -> None:
        self._text = text
        self._file = file
        self._problems = problems
        self._above = above
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._count = 0
        self._root: Node | None = None

    def read(self) -> Node | None:
        parser = _PARSER(self._text)
        try:
            if self._documents(parser):
                return self._root
            self._add_empty()
        except yaml.MarkedYAMLError as error:
            self._explain(error)
        except _TooLargeError:
            pass
        finally:
            parser.dispose()
        return None

    def _documents(self, parser: Any) -> int:
        """Read to the end of the stream; gives the number of documents."""
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
                    self._add_several(self._span(event))
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
                self._problems.add(
                    defects.CONTROL_CHARACTER,
                    span,
                    f"this text holds the character {code_point(text[found[0]])}, which cannot be seen",
                    "Remove the escape sequence",
                    route=self._route(),
                )
        elif event.style in ">|":
            span = self._block_scalar(text, span, event)
        node = ScalarNode(value, text, span)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(node)
        if event.tag:
            self._add_tag(event.tag, span)
        self._place(node, is_plain=not event.style)

    def _plain(self, text: str, span: Span) -> Plain:
        try:
            value = resolve(text)
        except UnusableNumberError as error:
            self._problems.add(
                defects.UNUSABLE_NUMBER,
                span,
                f"{quoted(text, 30)} {error}",
                "Write a finite number, or put it in quotes if it is meant as text",
                route=self._route(),
            )
            return None
        if text[:1] in ("<", "≤", "≥") and not self._expects_key() and (range_ := as_range(text)):
            self._add_comparison(text, range_, span)
        return value

    def _block_scalar(self, text: str, span: Span, event: Any) -> Span:
        """Check the header of a `|` or `>` text, and give its span without the line breaks that follow it."""
        written = self._text[event.start_mark.index : event.end_mark.index].rstrip()
        end = position_of(written, len(written))
        column = end.column + (span.start.column - 1 if end.line == 1 else 0)
        span = Span(span.file, span.start, Position(span.start.line + end.line - 1, column))
        if not text and event.style == ">" and (range_ := as_range(written)):
            self._add_comparison(written, range_, span)
        return span

    def _open(self, event: Any, node: MapNode | ListNode) -> None:
        self._admit(event, 1, 1)
        if event.tag:
            self._add_tag(event.tag, self._span(event))
        mark = event.start_mark
        anchor = None
        if event.anchor:
            anchor = self._anchors[event.anchor] = _Anchor()
        start = Position(mark.line + 1, mark.column + 1)
        self._frames.append(_Frame(node, start, bool(event.flow_style), self._count - 1, anchor))

    def _close(self, event: Any) -> None:
        frame = self._frames.pop()
        node = frame.node
        # A block ends where the next thing begins, blank lines and comments later: its last value is its true end.
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
        if anchor is None:
            self._problems.add(
                defects.UNKNOWN_ALIAS,
                span,
                f"{quoted('*' + event.anchor)} repeats a value, but nothing above is marked {quoted('&' + event.anchor)}",
                "Mark the value with the anchor, or put the text in quotes if the star belongs to it",
                route=self._route(),
            )
        elif anchor.node is None:
            self._problems.add(
                defects.LOOPING_ALIAS,
                span,
                f"{quoted('*' + event.anchor)} stands inside the value that it repeats",
                "Write out what is meant here",
                route=self._route(),
            )
        if anchor is None or anchor.node is None:
            self._place(ScalarNode(None, "", span), is_broken=True)
            return
        self._admit(event, anchor.size, anchor.height)
        self._raise_height(anchor.height)
        self._place(at(anchor.node, span))

    def _admit(self, event: Any, size: int, height: int) -> None:
        """Count what is about to be added, before it is."""
        self._count += size
        if self._count <= MAX_NODES and len(self._frames) + height <= MAX_DEPTH:
            return
        message = f"the text is nested more than {MAX_DEPTH} levels deep"
        if self._count > MAX_NODES:
            message = (
                f"with aliases expanded there are {self._count:,} keys and values up to here, more than {MAX_NODES:,}"
            )
        self._problems.add(
            defects.OVER_LIMIT, self._span(event), message, "Make the spec smaller here", route=self._route()
        )
        raise _TooLargeError

    def _raise_height(self, height: int) -> None:
        if self._frames:
            self._frames[-1].height = max(self._frames[-1].height, height + 1)

    def _place(self, node: Node, *, is_plain: bool = False, is_broken: bool = False) -> None:
        """Put a finished value where it belongs: the top, a list, behind its key, or as a key."""
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
        place = node.span or self._file
        if is_broken:
            return
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            spelled = text if isinstance(node, ScalarNode) else ""
            self._problems.add(
                defects.KEY_NOT_TEXT,
                place,
                f"a key must be text, and {quoted(spelled) if spelled else 'this one'} is {kind_of(node)}",
                f'Put it in quotes ("{printable(spelled)}") if it is a name' if spelled else "Write the key's name",
                route=self._route(),
            )
        elif text == "<<" and is_plain:
            self._problems.add(
                defects.MERGE_KEY,
                place,
                "the merge key `<<` is not part of YAML 1.2",
                "Repeat the whole value with `*name`, write its keys out, or merge files with `extends`",
                route=self._route(),
            )
        elif (first := entries.get(text)) and first[0]:
            self._problems.add(
                defects.DUPLICATE_KEY,
                place,
                f"the key {quoted(text)} stands here again; it is on line {first[0].start.line} already",
                "Keep one of the two",
                route=self._route(),
            )
        else:
            frame.kept = True

    def _expects_key(self) -> bool:
        return bool(self._frames) and isinstance(self._frames[-1].node, MapNode) and self._frames[-1].key is None

    def _route(self) -> Route:
        """The route of the value that is being read, or of the map whose key is."""
        parts = (len(frame.node.items) if isinstance(frame.node, ListNode) else frame.key for frame in self._frames)
        return (*self._above, *(part for part in parts if part is not None))

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._file, Position(start.line + 1, start.column + 1), Position(end.line + 1, end.column + 1))

    def _add_tag(self, tag: str, span: Span) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!", 1)
        self._problems.add(
            defects.NOT_PLAIN_DATA,
            span,
            f"the tag {quoted(shown)} asks for a special type, and a spec holds plain data only",
            "Remove the tag; quotes make text of a value",
            route=self._route(),
        )

    def _add_comparison(self, text: str, range_: str, span: Span) -> None:
        route = self._route()
        self._problems.add(
            defects.COMPARISON_SIGN,
            span,
            f"{quoted(text)} is no bound in YAML" + (f" for {quoted(route_text(route))}" if route else ""),
            f"Write `{range_}`",
            route=route,
            fixes=(Fix(f"Write `{range_}`", route, range_),),
        )

    def _add_several(self, span: Span) -> None:
        self._problems.add(
            defects.SEVERAL_DOCUMENTS,
            span,
            "a second document begins here, and a spec is one document",
            "Move it to a file of its own",
        )

    def _add_empty(self) -> None:
        self._problems.add(
            defects.NOT_A_MAPPING,
            self._file,
            "the file holds no values",
            "Begin with `hbspec: 1`, or let `hbspec init` write a spec to start from",
        )

    def _explain(self, error: yaml.MarkedYAMLError) -> None:
        opening = next((frame.start for frame in reversed(self._frames) if frame.flow), None)
        fault = explain(error, Scene(self._text, self._file, opening, self._expects_key()))
        if fault.range_:
            self._add_comparison(fault.message, fault.range_, fault.span)
        else:
            self._problems.add(fault.defect, fault.span, fault.message, fault.help, route=self._route())


def _last(node: MapNode | ListNode) -> Node | None:
    if isinstance(node, ListNode):
        return node.items[-1] if node.items else None
    return node.entries[next(reversed(node.entries))][1] if node.entries else None

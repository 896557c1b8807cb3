"""A Python mapping as a tree of nodes without spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.diagnostics import Route, route_text
from hbspec.manual import text as pages
from hbspec.source.characters import code_point, control_characters
from hbspec.source.excerpts import quoted
from hbspec.source.limits import MAX_DEPTH, MAX_NODES
from hbspec.source.nodes import ListNode, MapNode, Node, ScalarNode
from hbspec.source.problems import Problems
from hbspec.source.scalars import UnusableNumberError, usable


class _TooLargeError(Exception):
    """Stops the reading where a limit is exceeded."""


def from_mapping(values: Mapping[Any, Any], file: str, problems: Problems) -> MapNode | None:
    """The tree of a mapping of plain data (tuples count as lists); None if it is too large for a spec."""
    reader = _Reader(file, problems)
    try:
        return reader.map(values, ())
    except _TooLargeError:
        return None


class _Reader:
    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._count = 0

    def node(self, value: Any, route: Route) -> Node:
        self._admit(route)
        if isinstance(value, Mapping):
            return self.map(value, route)
        if isinstance(value, list | tuple):
            return ListNode([self.node(item, (*route, index)) for index, item in enumerate(value)], None)
        return self._scalar(value, route)

    def map(self, values: Mapping[Any, Any], route: Route) -> MapNode:
        entries: dict[str, tuple[None, Node]] = {}
        for key, value in values.items():
            self._admit(route)
            if isinstance(key, str):
                self._check_text(key, route)
                entries[str(key)] = (None, self.node(value, (*route, str(key))))
            else:
                message = f"a key must be a string, but {quoted(repr(key))} is not"
                self._problems.add(pages.KEY_NOT_TEXT, self._file, message, "make it a string", route=route)
        return MapNode({**entries}, None)

    def _scalar(self, value: Any, route: Route) -> ScalarNode:
        if value is None or isinstance(value, bool):
            return ScalarNode(value, "null" if value is None else str(value).lower(), None)
        if isinstance(value, str):
            self._check_text(value, route)
            return ScalarNode(str(value), str(value), None)
        if isinstance(value, int | float):
            return self._number(int(value) if isinstance(value, int) else float(value), route)
        message = f"{quoted(route_text(route))} is a Python {type(value).__name__}, but a spec holds only plain data"
        help_ = "give a string, a number, a boolean, None, a list or a mapping"
        self._problems.add(pages.NOT_PLAIN_DATA, self._file, message, help_, route=route)
        return ScalarNode(None, "", None)

    def _number(self, value: int | float, route: Route) -> ScalarNode:
        try:
            return ScalarNode(value, repr(usable(value)), None)
        except UnusableNumberError as error:
            message = f"{quoted(route_text(route))} {error}"
            self._problems.add(pages.UNUSABLE_NUMBER, self._file, message, "give a finite number", route=route)
            return ScalarNode(None, "", None)

    def _check_text(self, text: str, route: Route) -> None:
        if found := [] if text.isprintable() else control_characters(text):
            message = f"{quoted(text)} contains the invisible character {code_point(text[found[0]])}"
            self._problems.add(pages.CONTROL_CHARACTER, self._file, message, "remove it", route=route)

    def _admit(self, route: Route) -> None:
        self._count += 1
        if self._count <= MAX_NODES and len(route) <= MAX_DEPTH:
            return
        message = f"the mapping is nested more than {MAX_DEPTH} levels deep"
        help_ = f"remove levels of nesting, to at most {MAX_DEPTH}"
        if self._count > MAX_NODES:
            message = f"the mapping has more than {MAX_NODES:,} keys and values"
            help_ = f"delete keys or list items, to at most {MAX_NODES:,} keys and values"
        self._problems.add(pages.OVER_LIMIT, self._file, message, help_, route=route)
        raise _TooLargeError

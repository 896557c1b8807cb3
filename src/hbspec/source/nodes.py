"""The tree of a spec: plain values, each with the span where it was written.

Nodes are shared between aliases and between the layers of `extends`, so they are never changed after reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.diagnostics import Span
from hbspec.source.scalars import Plain


@dataclass(slots=True)
class ScalarNode:
    """A scalar value and its text, without quotes."""

    value: Plain
    spelling: str
    span: Span | None


@dataclass(slots=True)
class ListNode:
    """A list of nodes."""

    items: list[Node]
    span: Span | None


@dataclass(slots=True)
class MapNode:
    """A mapping: the span of each key, and its value."""

    entries: Entries
    span: Span | None


Node = ScalarNode | ListNode | MapNode
Entries = dict[str, tuple[Span | None, Node]]


def at(node: Node, span: Span | None) -> Node:
    """The same value at another span (that of an alias)."""
    if isinstance(node, ScalarNode):
        return ScalarNode(node.value, node.spelling, span)
    if isinstance(node, ListNode):
        return ListNode(node.items, span)
    return MapNode(node.entries, span)


def kind_of(node: Node) -> str:
    """The type of a value as words that follow `is`: `a string`, `a number`, `empty`."""
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node.value, bool):
        return "a boolean"
    if node.value is None:
        return "empty"
    return "a string" if isinstance(node.value, str) else "a number"

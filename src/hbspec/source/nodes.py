"""A spec as a tree: plain values, each with the place where it was written.

Nodes are shared between aliases and between the layers of `extends`, so they are never changed once read.
"""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.diagnostics import Span
from hbspec.source.scalars import Plain


@dataclass(slots=True)
class ScalarNode:
    """One value and the text it came from; a quoted text is spelled without its quotes."""

    value: Plain
    spelling: str
    span: Span | None


@dataclass(slots=True)
class ListNode:
    """A list."""

    items: list[Node]
    span: Span | None


@dataclass(slots=True)
class MapNode:
    """A map: to every key the span of the key itself, and the value."""

    entries: Entries
    span: Span | None


Node = ScalarNode | ListNode | MapNode
Entries = dict[str, tuple[Span | None, Node]]


def at(node: Node, span: Span | None) -> Node:
    """The same value, written elsewhere (as an alias does it)."""
    if isinstance(node, ScalarNode):
        return ScalarNode(node.value, node.spelling, span)
    if isinstance(node, ListNode):
        return ListNode(node.items, span)
    return MapNode(node.entries, span)


def kind_of(node: Node) -> str:
    """What a value is, in words, fit to follow `is`: `text`, `a number`, `empty`."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node.value, bool):
        return "a truth value"
    if node.value is None:
        return "empty"
    return "text" if isinstance(node.value, str) else "a number"

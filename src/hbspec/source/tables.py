"""Conversion of a tree of nodes to plain values and tables by route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Route, Span
from hbspec.source.limits import MAX_DEPTH, MAX_NODES
from hbspec.source.nodes import ListNode, MapNode, Node, ScalarNode


class TooLargeError(Exception):
    """The merged tree exceeds a limit of specs; the message names the limit, and `action` is the correction."""

    def __init__(self, message: str, action: str) -> None:
        super().__init__(message)
        self.action = action


@dataclass(slots=True)
class Tables:
    """The tables of a `Document`, by route."""

    spans: dict[Route, Span] = field(default_factory=dict)
    key_spans: dict[Route, Span] = field(default_factory=dict)
    spellings: dict[Route, str] = field(default_factory=dict)
    origins: dict[Route, Path] = field(default_factory=dict)


def tabulate(root: MapNode, folder_of: Callable[[Span | None], Path]) -> tuple[dict[str, Any], Tables]:
    """The plain values of a tree, and its tables. Aliased values are copied.

    Raises `TooLargeError`: files within the limits may exceed them when merged.
    """
    tables = Tables()
    count = 0

    def visit(node: Node, route: Route) -> Any:
        nonlocal count
        count += 1
        if count > MAX_NODES:
            message = f"the spec has more than {MAX_NODES:,} values after merging"
            raise TooLargeError(message, f"delete values of the spec or of the specs that it extends, to {MAX_NODES:,}")
        if node.span is not None:
            tables.spans[route] = node.span
        tables.origins[route] = folder_of(node.span)
        if isinstance(node, ScalarNode):
            tables.spellings[route] = node.spelling
            return node.value
        if len(route) >= MAX_DEPTH:
            message = f"the spec is more than {MAX_DEPTH} levels deep after merging"
            raise TooLargeError(message, f"remove levels of nesting, to at most {MAX_DEPTH}")
        if isinstance(node, ListNode):
            return [visit(item, (*route, index)) for index, item in enumerate(node.items)]
        values: dict[str, Any] = {}
        for key, (key_span, child) in node.entries.items():
            child_route = (*route, key)
            if key_span is not None:
                tables.key_spans[child_route] = key_span
            values[key] = visit(child, child_route)
        return values

    return visit(root, ()), tables

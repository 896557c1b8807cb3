"""`--set KEY=VALUE`: values changed on the command line.

The key is a dotted path, `evaluation[0].min_score`. An existing name with a dot is recognised (`expect.training.cost`);
a new one needs quotes (`expect."training.cost"`). The value is YAML; null deletes the key.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NamedTuple

from hbspec.diagnostics import Position, Route, Span, route_text
from hbspec.manual import text as pages
from hbspec.showing.secrets import redact
from hbspec.source.excerpts import printable, quoted
from hbspec.source.layers import EXTENDS
from hbspec.source.nodes import ListNode, MapNode, Node, ScalarNode, kind_of
from hbspec.source.parse import parse
from hbspec.source.problems import Problems

_STEP = r"""(?:(?:^|(?<!^)\.)(?:"([^"]+)"|'([^']+)'|([^\s.=\[\]"']+))|\[([0-9]{1,6})\])"""
OPTION = "--set "
"""How the names of overrides begin, where those of files are in places."""
_EXAMPLE = "write it as `--set hyperparameters.learning_rate=2e-4`"


class _RefusedError(Exception):
    """The reason why an override cannot be applied, and one action as the second argument."""


class _Change(NamedTuple):
    """A new value, and the span of the override's path."""

    value: Node
    span: Span

    @property
    def deletes(self) -> bool:
        return isinstance(self.value, ScalarNode) and self.value.value is None


def overridden(tree: MapNode, override: str, problems: Problems) -> MapNode:
    """The tree with one override applied; or the unchanged tree, with the reason in `problems`."""
    file = f"{OPTION}{printable(redact(override))}"
    problems.texts[file] = override
    route: Route = ()
    end = 0
    try:
        route, end = _path(override)
        span = Span(file, Position(1, 1), Position(1, end + 1))
        # Spaces instead of the path preserve the columns of the value.
        value = parse(" " * (end + 1) + override[end + 1 :], file, problems, route)
        if value is None:
            return tree
        changed = _changed(tree, route, (), _Change(value, span))
    except _RefusedError as refusal:
        message, help_ = refusal.args
        span = Span(file, Position(1, 1), Position(1, max(end, 1) + 1))
        problems.add(pages.BAD_OVERRIDE, span, message, help_, route=route)
        return tree
    return changed if isinstance(changed, MapNode) else tree


def _path(override: str) -> tuple[Route, int]:
    """The route before the `=`, and the index of the `=`.

    Raises:
        _RefusedError: the override is not of the form KEY=VALUE.
    """
    route: list[str | int] = []
    end = 0
    while found := re.compile(_STEP).match(override, end):
        *names, index = found.groups()
        route.append(int(index) if index else next(name for name in names if name))
        end = found.end()
    if not override[end:].startswith("=") or not route:
        raise _RefusedError(f"{quoted(override)} is not of the form KEY=VALUE", _EXAMPLE)
    if "\n" in override or "\r" in override:
        raise _RefusedError("an override must be one line", "write mappings as `{key: value}` and lists as `[a, b]`")
    if not override[end + 1 :].strip() or override[end + 1 :].lstrip().startswith("#"):
        raise _RefusedError(
            f"no value follows {quoted(override[: end + 1])}", "write a value, or `null` to delete the key"
        )
    if route[0] == EXTENDS:
        raise _RefusedError("`extends` cannot be set: it is read before overrides apply", "write it in the spec")
    return tuple(route), end


def _changed(node: Node, route: Route, above: Route, change: _Change) -> Node:
    """The node with the value at `route` below it changed; `above` is the route of the node itself."""
    if not route:
        return change.value
    if isinstance(node, ListNode):
        return _changed_list(node, route, above, change)
    if not isinstance(node, MapNode):
        where = quoted(route_text(above))
        raise _RefusedError(
            f"{where} is {kind_of(node)} and has no {quoted(str(route[0]))}", f"set {where} itself, or another key"
        )
    if isinstance(route[0], int):
        where = quoted(route_text(above) or "the spec")
        raise _RefusedError(f"{where} is a mapping and has no entry {route[0]}", "name one of its keys")
    key, rest = _key(node, route)
    here = (*above, key)
    if key not in node.entries and change.deletes:
        raise _RefusedError(
            f"{quoted(route_text(above + route))} cannot be deleted: it does not exist", "check the spelling of the key"
        )
    entries = dict(node.entries)
    if change.deletes and not rest:
        del entries[key]
        return MapNode(entries, node.span)
    key_span, child = entries.get(key, (change.span, MapNode({}, change.span)))
    entries[key] = (key_span if rest else change.span, _changed(child, rest, here, change))
    return MapNode(entries, node.span)


def _changed_list(node: ListNode, route: Route, above: Route, change: _Change) -> ListNode:
    where = quoted(route_text(above))
    step = str(route[0])
    if not step.isdecimal() or not step.isascii():
        raise _RefusedError(
            f"{where} is a list and has no {quoted(step)}", f"give the index of an entry: `{route_text(above)}[0]`"
        )
    index = int(step)
    if index >= len(node.items):
        entries = f"entries 0 to {len(node.items) - 1}" if node.items else "no entries"
        raise _RefusedError(f"{where} has {entries}, not {index}", "give the index of an entry, or set the whole list")
    items = list(node.items)
    if change.deletes and len(route) == 1:
        del items[index]
    else:
        items[index] = _changed(items[index], route[1:], (*above, index), change)
    return ListNode(items, node.span)


def _key(node: MapNode, route: Route) -> tuple[str, Route]:
    """The longest prefix of the route that is a key of the mapping, else its first name; and the rest of the route."""
    names = list(takewhile(lambda step: isinstance(step, str), route))
    for taken in range(len(names), 0, -1):
        if (name := ".".join(map(str, names[:taken]))) in node.entries:
            return name, route[taken:]
    return str(names[0]), route[1:]

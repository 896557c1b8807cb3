"""The keys of a foreign mapping: each with its value and its places, and whether a front end has read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hbspec.diagnostics import Route, Span
from hbspec.source.nodes import ListNode, MapNode, Node, ScalarNode

PLACEHOLDER = re.compile(r"""\$\{[^}]*\}|\{\{.*?\}\}|^\{[^{}"':]+\}$|^<<.+>>$""")
"""Values that a program fills in later: of OmegaConf and shells, of Jinja, and of HyperPod's templates."""

WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""Booleans of YAML 1.1, which PyYAML reads and the core schema of YAML 1.2 does not, and those of command lines."""


FLOAT = re.compile(r"[-+]?(?:[0-9]{1,15}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")


class ForeignKey(NamedTuple):
    """A key that is set: its route in the foreign file, its value as plain data, its node and the span of its key."""

    route: Route
    value: Any
    node: Node
    key_span: Span | None

    @property
    def key(self) -> str:
        """The key as the author wrote it."""
        return str(self.route[-1])

    @property
    def acts(self) -> bool:
        """Whether the value is more than what a program takes for nothing: false, 0, an empty list, "none"."""
        value = self.value
        if isinstance(value, str):
            return value.strip().casefold() not in ("", "none", "no", "false", "disable", "disabled")
        return bool(value)

    @property
    def placeholder(self) -> str | None:
        """The part of the value that is filled in later; None if the value stands as it is."""
        found = PLACEHOLDER.search(self.value) if isinstance(self.value, str) else None
        return found[0] if found else None

    @property
    def flag(self) -> bool:
        """The value as a boolean; a word that is not one counts as true, as in Python."""
        if isinstance(self.value, str):
            return WORDS.get(self.value.strip().casefold(), self.acts)
        return bool(self.value)

    @property
    def number(self) -> float | None:
        """The value as a number, whole if it can be; None if it is not one."""
        if isinstance(self.value, bool):
            return None
        if isinstance(self.value, int | float):
            return self.value
        written = str(self.value).strip().replace("_", "")  # as YAML 1.1 allows
        if re.fullmatch(r"[-+]?[0-9]{1,15}", written):
            return int(written)
        return float(written) if FLOAT.fullmatch(written) else None

    @property
    def text(self) -> str:
        """The value as a text."""
        return str(self.value).strip()

    @property
    def natural(self) -> Node:
        """The node, in which a text that spells a number or a boolean is one, as the frameworks convert it."""
        if not isinstance(self.value, str):
            return self.node
        word = WORDS.get(self.text.casefold())
        found = self.number if word is None else word
        return self.node if found is None else node_of(found, self.node.span)

    @property
    def texts(self) -> tuple[str, ...]:
        """A list of texts, or the parts of one text between commas or spaces."""
        if isinstance(self.value, list):
            return tuple(str(item) for item in self.value)
        return tuple(part for part in re.split(r"[,\s]+", self.text) if part)


class Foreign:
    """The keys of one mapping of a foreign file."""

    def __init__(self, tree: MapNode, above: Route = ()) -> None:
        self._tree, self._above = tree, above
        self._read: set[str] = set()
        self._inside: dict[str, Foreign] = {}

    def get(self, *names: str) -> ForeignKey | None:
        """The first of some keys that is set; all of them count as read. A null is not set."""
        self._read.update(names)
        return next((found for name in names if (found := self.peek(name))), None)

    def peek(self, name: str) -> ForeignKey | None:
        """A key, if it is set, without counting it as read."""
        key_span, node = self._tree.entries.get(name, (None, None))
        if node is None or (isinstance(node, ScalarNode) and node.value is None):
            return None
        return ForeignKey((*self._above, name), plain(node), node, key_span)

    def null(self, name: str) -> ForeignKey | None:
        """A key that is written and empty, where that means something else than leaving it out."""
        key_span, node = self._tree.entries.get(name, (None, None))
        empty = isinstance(node, ScalarNode) and node.value is None
        return ForeignKey((*self._above, name), None, node, key_span) if node is not None and empty else None

    def inside(self, name: str) -> Foreign:
        """The keys of a mapping inside this one; empty if it has no such mapping."""
        self._read.add(name)
        node = self._tree.entries.get(name, (None, None))[1]
        tree = node if isinstance(node, MapNode) else MapNode({}, None)
        return self._inside.setdefault(name, Foreign(tree, (*self._above, name)))

    def items(self, name: str) -> Iterator[Foreign]:
        """The mappings of a list; other entries are passed over."""
        self._read.add(name)
        node = self._tree.entries.get(name, (None, None))[1]
        entries = node.items if isinstance(node, ListNode) else ()
        for index, entry in enumerate(entries):
            if isinstance(entry, MapNode):
                yield Foreign(entry, (*self._above, name, index))

    def rest(self) -> Iterator[ForeignKey]:
        """The keys that are set and that nothing has read."""
        for name in self._tree.entries:
            if name not in self._read and (found := self.peek(name)):
                yield found
        for one in self._inside.values():
            yield from one.rest()

    def pass_over(self) -> None:
        """Count all keys as read, those inside mappings too."""
        self._read.update(self._tree.entries)
        self._inside.clear()

    def __bool__(self) -> bool:
        return bool(self._tree.entries)

    @property
    def span(self) -> Span | None:
        """The place of the mapping."""
        return self._tree.span


def plain(node: Node) -> Any:
    """The value of a node as plain data."""
    if isinstance(node, MapNode):
        return {key: plain(child) for key, (_, child) in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(child) for child in node.items]
    return node.value


def node_of(value: Any, span: Span | None = None) -> Node:
    """Plain data as a node, every part of it at one span."""
    if isinstance(value, Mapping):
        return MapNode({str(key): (span, node_of(child, span)) for key, child in value.items()}, span)
    if isinstance(value, list | tuple):
        return ListNode([node_of(child, span) for child in value], span)
    return ScalarNode(value, str(value).lower() if isinstance(value, bool) else str(value), span)

"""Expressions as values: literals, names that are bound to them, and what is made of both; the rest is computed.

Nothing is called. Arithmetic is that of numbers (`2 * 24 * 60 * 60`), and joins texts.
"""

from __future__ import annotations

import ast
import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, zip_longest
from math import isfinite
from typing import Any

from hbspec.diagnostics import Position, Span
from hbspec.frontends.calls.bindings import EVERY_ITEM, Binding, CodePlace, ProgramNames
from hbspec.frontends.calls.cells import Cell
from hbspec.source.characters import lines_of
from hbspec.source.nodes import Entries, ListNode, MapNode, Node, ScalarNode

OTHER_ARGUMENTS = "**"
"""The key of arguments and items that are computed as a whole."""
CLASS = "class"
"""The key of the name of the class that a mapping is the arguments of; Python has no argument with this name."""
MAX_PARTS = 5_000
"""Expressions that are looked at for one file, so that names of names of lists do not take for ever."""
LARGEST = 10**15
MAX_TEXT = 4096
MAX_ITEMS = 1_000
"""Items of a list or a mapping that is read."""
MAX_SHOWN = 200
"""Characters of an expression that is not read."""
OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


@dataclass(slots=True)
class Computed(ScalarNode):
    """A value that only running the program tells; `spelling` is its expression."""


class Values:
    """The values of a program's expressions.

    Args:
        program: its bindings.
        classes: by a class's name, its arguments in their order; an object of one is a mapping of its arguments.
    """

    def __init__(self, program: ProgramNames, classes: Mapping[str, Sequence[str]]) -> None:
        self._program, self._classes = program, classes
        self._parts = 0

    def of(self, node: ast.expr, at: CodePlace) -> Node:
        """The value of an expression at a place."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            return Computed("…", "…", None)
        if isinstance(node, ast.Constant):
            return self._constant(node, at)
        if isinstance(node, ast.Name):
            return self._name(node, at)
        if isinstance(node, ast.Dict):
            return self._dict(node, at)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return self._list(node, at)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node, at)
        if isinstance(node, ast.UnaryOp | ast.BinOp):
            return self._arithmetic(node, at)
        if isinstance(node, ast.Call):
            return self._call(node, at)
        return computed(node, at.cell)

    def class_of(self, call: ast.Call) -> str | None:
        """The name of the class that a call makes an object of, if its arguments are read."""
        name = (self._program.dotted(call.func) or "").rpartition(".")[2]
        return name if name in self._classes else None

    def arguments(self, call: ast.Call, at: CodePlace, names: Sequence[str]) -> MapNode:
        """The arguments of a call by their names."""
        entries: Entries = {}
        for name, given in zip_longest(names[: len(call.args)], call.args):
            if name is None or isinstance(given, ast.Starred):
                entries[OTHER_ARGUMENTS] = (None, computed(given, at.cell))
                break
            entries[name] = (None, self.of(given, at))
        for word in call.keywords:
            if word.arg is None:
                self._spread(entries, word.value, at)
            else:
                line, column = _place(at.cell, word.lineno, word.col_offset)
                key = Span(at.cell.file, Position(line, column), Position(line, column + len(word.arg)))
                entries[word.arg] = (key, self.of(word.value, at))
        return MapNode(entries, span_of(call, at.cell))

    def _constant(self, node: ast.Constant, at: CodePlace) -> Node:
        value, span = node.value, span_of(node, at.cell)
        if value is None or isinstance(value, str | bool) or (isinstance(value, int) and abs(value) <= LARGEST):
            return ScalarNode(value, str(value), span)
        if isinstance(value, float) and isfinite(value):
            return ScalarNode(value, repr(value), span)
        return computed(node, at.cell)

    def _name(self, node: ast.Name, at: CodePlace) -> Node:
        found = at.scope.found(node.id, at)
        if not found:
            return computed(node, at.cell)
        value: Node | None = None
        for binding in found:
            value = self._changed(value, binding, node, at)
        return value or computed(node, at.cell)

    def _changed(self, before: Node | None, binding: Binding, node: ast.Name, at: CodePlace) -> Node:
        """The value after a binding: the one that is bound, or the mapping with another item."""
        if binding.value is None:
            return computed(node, at.cell)
        where = binding.place
        if binding.item is None:
            return self.of(binding.value, where)
        if not isinstance(before, MapNode):
            return computed(node, at.cell)
        entries = dict(before.entries)
        if binding.item is EVERY_ITEM:
            is_known = binding.certain and self._spread(entries, binding.value, where)
        else:
            is_known = self._item(entries, binding.item, binding.value, where, certain=binding.certain)
        return MapNode(entries, before.span) if is_known else computed(node, at.cell)

    def _item(self, entries: Entries, key: ast.expr, value: ast.expr, at: CodePlace, *, certain: bool = True) -> bool:
        """An item of a mapping, computed where it may not be set; whether its key is known, so that others are."""
        name = self.of(key, at)
        if isinstance(name, ScalarNode) and isinstance(name.value, str) and not isinstance(name, Computed):
            span = span_of(key, at.cell)
            entries.pop(name.value, None)
            entries[name.value] = (span, self.of(value, at) if certain else computed(value, at.cell))
            return True
        return False

    def _spread(self, entries: Entries, value: ast.expr, at: CodePlace) -> bool:
        """The items of another mapping; whether those before it are known to stay."""
        found, is_first = self.of(value, at), not entries
        if isinstance(found, MapNode):
            entries.update((key, entry) for key, entry in found.entries.items() if key != CLASS)
            return is_first or OTHER_ARGUMENTS not in found.entries
        entries[OTHER_ARGUMENTS] = (None, computed(value, at.cell))
        return is_first

    def _dict(self, node: ast.Dict, at: CodePlace) -> Node:
        if len(node.keys) > MAX_ITEMS:
            return computed(node, at.cell)
        entries: Entries = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not (self._spread(entries, value, at) if key is None else self._item(entries, key, value, at)):
                return computed(node, at.cell)
        return MapNode(entries, span_of(node, at.cell))

    def _list(self, node: ast.List | ast.Tuple | ast.Set, at: CodePlace) -> Node:
        if len(node.elts) > MAX_ITEMS or any(isinstance(part, ast.Starred) for part in node.elts):
            return computed(node, at.cell)
        return ListNode([self.of(part, at) for part in node.elts], span_of(node, at.cell))

    def _joined(self, node: ast.JoinedStr, at: CodePlace) -> Node:
        """An f-string, if each of its parts is a plain text or number."""
        texts = []
        for part in node.values:
            is_plain = isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1
            value = self.of(part.value if is_plain else part, at)  # type: ignore[attr-defined]
            if isinstance(value, Computed) or not isinstance(value, ScalarNode):
                return computed(node, at.cell)
            texts.append(str(value.value))
        text = "".join(texts)
        return ScalarNode(text, text, span_of(node, at.cell)) if len(text) <= MAX_TEXT else computed(node, at.cell)

    def _arithmetic(self, node: ast.UnaryOp | ast.BinOp, at: CodePlace) -> Node:
        if isinstance(node, ast.UnaryOp):
            given = self.of(node.operand, at)
            number = _number(given)
            if isinstance(node.op, ast.USub) and number is not None:
                return ScalarNode(-number, str(-number), span_of(node, at.cell))
            return computed(node, at.cell)
        left, right = self.of(node.left, at), self.of(node.right, at)
        if isinstance(node.op, ast.BitOr) and isinstance(left, MapNode) and isinstance(right, MapNode):
            if OTHER_ARGUMENTS in right.entries:
                return computed(node, at.cell)
            return MapNode({**left.entries, **right.entries}, span_of(node, at.cell))
        result = _result(node.op, left, right)
        return computed(node, at.cell) if result is None else ScalarNode(result, str(result), span_of(node, at.cell))

    def _call(self, call: ast.Call, at: CodePlace) -> Node:
        name = self.class_of(call)
        if name is not None:
            made = self.arguments(call, at, self._classes[name])
            made.entries[CLASS] = (None, ScalarNode(name, name, span_of(call.func, at.cell)))
            return made
        if self._program.dotted(call.func) == "dict":
            entries: Entries = {}
            if not all(self._spread(entries, given, at) for given in call.args):
                return computed(call, at.cell)
            words = self.arguments(ast.copy_location(ast.Call(call.func, [], call.keywords), call), at, ())
            if entries and OTHER_ARGUMENTS in words.entries:
                return computed(call, at.cell)
            return MapNode({**entries, **words.entries}, span_of(call, at.cell))
        return computed(call, at.cell)


def computed(node: ast.expr, cell: Cell) -> Computed:
    """An expression that is not read, at its place."""
    span = span_of(node, cell)
    lines = _lines(cell.text)[span.start.line - 1 : min(span.end.line, span.start.line + 9)]
    if lines and span.end.line == span.start.line + len(lines) - 1:
        lines[-1] = lines[-1][: span.end.column - 1]
    if lines:
        lines[0] = lines[0][span.start.column - 1 :]
    text = " ".join(" ".join(lines).split())[:MAX_SHOWN] or "…"
    return Computed(text, text, span)


def span_of(node: ast.expr, cell: Cell) -> Span:
    """The place of an expression; columns of `ast` count bytes."""
    start = _place(cell, node.lineno, node.col_offset)
    end = _place(cell, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset + 1)
    return Span(cell.file, Position(*start), Position(*end))


@lru_cache(maxsize=64)
def _lines(text: str) -> list[str]:
    return lines_of(text)


@lru_cache(maxsize=64)
def _offsets(line: str) -> list[int]:
    """The offset in bytes of each character of a line, and of its end."""
    return [0, *accumulate(len(sign.encode("utf-8", "surrogatepass")) for sign in line)]


def _place(cell: Cell, line: int, offset: int) -> tuple[int, int]:
    lines = _lines(cell.text)
    text = lines[line - 1] if line <= len(lines) else ""
    if text.isascii():
        return line, offset + 1
    return line, bisect_left(_offsets(text), offset) + 1


def _number(node: Node) -> int | float | None:
    value = node.value if isinstance(node, ScalarNode) and not isinstance(node, Computed) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _result(sign: ast.operator, left: Node, right: Node) -> int | float | str | None:
    """What an operation on two numbers gives, or the sum of two texts; None where it is not read."""
    texts = [node.value for node in (left, right) if isinstance(node, ScalarNode) and not isinstance(node, Computed)]
    if isinstance(sign, ast.Add) and len(texts) == 2 and all(isinstance(text, str) for text in texts):
        joined = f"{texts[0]}{texts[1]}"
        return joined if len(joined) <= MAX_TEXT else None
    numbers, operation = (_number(left), _number(right)), OPERATIONS.get(type(sign))
    if operation is None or None in numbers:
        return None
    try:
        found: int | float = operation(*numbers)
    except (ZeroDivisionError, OverflowError):
        return None
    return found if abs(found) <= LARGEST else None

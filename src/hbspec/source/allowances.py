"""Comments that allow a finding: `# hbspec: allow HB101 one-process-many-gpus -- why`.

After a value, the comment applies to its line; alone on a line, it applies to the next line that is not a comment.
`allow-section` applies to the whole section whose key is on that line, `allow-file` to the whole file. Codes and names
may be separated by commas; the words after the last of them are the author's reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hbspec.diagnostics import Position, Span
from hbspec.source.characters import lines_of
from hbspec.source.nodes import ListNode, MapNode, Node

_PHRASE = "hbspec: allow"
_COMMENT = re.compile(
    r"(?:^|[ \t])#[ \t]*(hbspec: allow(-section|-file)?"
    r"((?:[ \t,]+(?:HB[0-9]{3}|[a-z0-9]+(?:-[a-z0-9]+)+)(?![\w-]))+))"
)


class Allowance(NamedTuple):
    """One comment.

    Attributes:
        words: the codes and names that it allows, in its order.
        first: the first line that it applies to, from 1.
        last: the last line that it applies to.
        span: the place of the comment, without the author's reason.
    """

    words: tuple[str, ...]
    first: int
    last: int
    span: Span


def allowances(file: str, text: str, tree: MapNode) -> tuple[Allowance, ...]:
    """The comments of a file that allow findings; `tree` is the parsed text."""
    return tuple(_found(file, text, tree)) if _PHRASE in text else ()


def _found(file: str, text: str, tree: MapNode) -> Iterator[Allowance]:
    lines = lines_of(text)
    scalars = _scalar_spans(tree)
    for number, line in enumerate(lines, 1):
        for comment in _COMMENT.finditer(line) if _PHRASE in line else ():
            sign = Position(number, line.index("#", comment.start()) + 1)
            if any(span.start <= sign < span.end for span in scalars):
                continue
            place = Span(file, Position(number, comment.start(1) + 1), Position(number, comment.end(1) + 1))
            target = number if line[: sign.column - 1].strip() else _next_line(lines, number)
            words = tuple(re.split(r"[ \t,]+", comment[3].strip(" \t,")))
            yield Allowance(words, *_lines(comment[2], target, len(lines), tree), place)


def _lines(scope: str | None, target: int, count: int, tree: MapNode) -> tuple[int, int]:
    """The first and the last line that a comment applies to."""
    if scope == "-file":
        return 1, count
    return target, max([target, *_section_ends(tree, target)]) if scope else target


def _section_ends(node: Node, line: int) -> Iterator[int]:
    """The last lines of the values whose keys are on a line."""
    if isinstance(node, MapNode):
        for key, child in node.entries.values():
            if key and child.span and key.file == child.span.file and key.start.line == line:
                yield child.span.end.line - (child.span.end.column == 1)
            yield from _section_ends(child, line)
    elif isinstance(node, ListNode):
        for child in node.items:
            yield from _section_ends(child, line)


def _next_line(lines: list[str], number: int) -> int:
    for following, line in enumerate(lines[number:], number + 1):
        if line.strip() and not line.lstrip().startswith("#"):
            return following
    return number


def _scalar_spans(node: Node) -> list[Span]:
    if isinstance(node, MapNode):
        return [span for _, child in node.entries.values() for span in _scalar_spans(child)]
    if isinstance(node, ListNode):
        return [span for child in node.items for span in _scalar_spans(child)]
    return [node.span] if node.span else []

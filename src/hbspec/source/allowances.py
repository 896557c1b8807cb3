"""Comments that allow a finding: `# hbspec: allow HB101 one-process-many-gpus -- why`.

After a value, the comment applies to its line; alone on a line, it applies to the next line that is not a comment.
Codes and names may be separated by commas; the words after the last of them are the author's reason.
"""

from __future__ import annotations

import re

from hbspec.diagnostics import Position, Span
from hbspec.source.characters import lines_of
from hbspec.source.nodes import ListNode, MapNode, Node

_PHRASE = "hbspec: allow"
_COMMENT = r"(?:^|[ \t])#[ \t]*hbspec: allow((?:[ \t,]+(?:HB[0-9]{3}|[a-z0-9]+(?:-[a-z0-9]+)+)(?![\w-]))+)"


def allowances(text: str, tree: MapNode) -> dict[int, frozenset[str]]:
    """The codes and names that comments allow, by line (from 1); `tree` is the parsed text."""
    found: dict[int, frozenset[str]] = {}
    if _PHRASE not in text:
        return found
    lines = lines_of(text)
    scalars = _scalar_spans(tree)
    for number, line in enumerate(lines, 1):
        for comment in re.finditer(_COMMENT, line) if _PHRASE in line else ():
            sign = Position(number, line.index("#", comment.start()) + 1)
            if any(span.start <= sign < span.end for span in scalars):
                continue
            target = number if line[: sign.column - 1].strip() else _next_line(lines, number)
            found[target] = found.get(target, frozenset()) | set(re.split(r"[ \t,]+", comment[1].strip(" \t,")))
    return found


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

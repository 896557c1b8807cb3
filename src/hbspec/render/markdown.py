"""Markdown for comments on pull requests: text that cannot become markup, tables, and folded blocks.

Everything that an author wrote is escaped, so that a name in a spec neither links, mentions somebody, nor adds HTML.
https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hbspec.render.lines import Line
from hbspec.showing import shown

SPACES = re.compile(r"[^\S\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]+")
"""Spaces and line breaks that may be one space; those within a number of another language stay."""
MARKUP = re.compile(r"[\\`*_\[\]|~#]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def escaped(text: str) -> str:
    r"""Text that is shown as it is, without credentials, on one line.

    >>> escaped("a_b <c> @d | `e`")
    'a\\_b &lt;c&gt; &#64;d \\| \\`e\\`'
    """
    clean = MARKUP.sub(r"\\\g<0>", shown(SPACES.sub(" ", text)))
    return "".join(ENTITIES.get(sign, sign) for sign in clean)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; its cells are Markdown already."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def folded(summary: str, lines: Iterable[Line]) -> Iterator[str]:
    """Lines as they are in a terminal, in a block that a reader unfolds."""
    body = [shown("".join(text for _, text in line)) for line in lines]
    longest = max((len(run) for line in body for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from ("<details>", f"<summary>{escaped(summary)}</summary>", "", f"{fence}text", *body, fence, "")
    yield "</details>"

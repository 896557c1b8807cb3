"""Words out of the data as diagnostics repeat them: short, and without what moves a terminal's cursor."""

from __future__ import annotations

from hbspec.source.excerpts import printable

LONGEST_WORD = 40
LONGEST_SENTENCE = 200


def quoted(text: str, longest: int = LONGEST_WORD) -> str:
    r"""At most `longest` characters of a text.

    >>> quoted("\x1b[31mred"), quoted("x" * 50, 5)
    ('␛[31mred', 'xxxxx…')
    """
    return printable(text if len(text) <= longest else f"{text[:longest]}…")

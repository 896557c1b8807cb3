"""Quotes from the data for diagnostics: short, and without characters that move a terminal's cursor."""

from __future__ import annotations

from hbspec.showing import shown

LONGEST_WORD = 40
LONGEST_SENTENCE = 200
PLENTY = 10_000
"""Characters that are searched for credentials: more than are shown, so that none is clipped before it is found."""


def quoted(text: str, longest: int = LONGEST_WORD) -> str:
    r"""At most `longest` characters of a text, printable and redacted.

    >>> quoted("\x1b[31mred"), quoted("x" * 50, 5)
    ('␛[31mred', 'xxxxx…')
    """
    clean = shown(text[:PLENTY])
    return clean if len(clean) <= longest else f"{clean[:longest]}…"

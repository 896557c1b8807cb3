"""Words out of the data as diagnostics repeat them: short, and without what moves a terminal's cursor."""

from __future__ import annotations

from hbspec.showing import shown

LONGEST_WORD = 40
LONGEST_SENTENCE = 200
PLENTY = 10_000
"""Characters that are looked at: beyond what is shown, for a credential must not be cut before it is recognised."""


def quoted(text: str, longest: int = LONGEST_WORD) -> str:
    r"""At most `longest` characters of a text.

    >>> quoted("\x1b[31mred"), quoted("x" * 50, 5)
    ('␛[31mred', 'xxxxx…')
    """
    clean = shown(text[:PLENTY])
    return clean if len(clean) <= longest else f"{clean[:longest]}…"

"""`>= 5` and its likes, which YAML reads as something else, put as ranges."""

from __future__ import annotations

import re

_COMPARISON = r"\s*(<=?|>=?|=<|=>|≤|≥)\s*([-+]?\.?[0-9][^\s#,:\]}]*(?:[ \t]+[A-Za-z][^\s#,:\]}]*)?)"


def as_range(text: str) -> str | None:
    r"""The range that a comparison at the beginning of a text means (ends included), or None if there is none.

    >>> as_range(">= 5"), as_range("< 35 GB"), as_range(">\n  folded text")
    ('5..', '..35 GB', None)
    """
    found = re.match(_COMPARISON, text.split("\n", 1)[0])
    if not found:
        return None
    sign, quantity = found.groups()
    return f"{quantity}.." if sign[0] in ">≥" or sign == "=>" else f"..{quantity}"

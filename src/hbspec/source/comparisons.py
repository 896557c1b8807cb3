"""Comparisons such as `>= 5`, which YAML reads as something else, and the ranges that they mean."""

from __future__ import annotations

import re

_COMPARISON = r"\s*(<=?|>=?|=<|=>|≤|≥)\s*([-+]?\.?[0-9][^\s#,:\]}]*(?:[ \t]+[A-Za-z][^\s#,:\]}]*)?)"


def comparison(text: str) -> tuple[str, str] | None:
    r"""The comparison at the beginning of a text and the range that it means (ends included); None without one.

    >>> comparison(">= 5"), comparison("< 35 GB # why"), comparison(">\n  folded text")
    (('>= 5', '5..'), ('< 35 GB', '..35 GB'), None)
    """
    found = re.match(_COMPARISON, text.split("\n", 1)[0])
    if not found:
        return None
    sign, quantity = found.groups()
    return found.group().strip(), f"{quantity}.." if sign[0] in ">≥" or sign == "=>" else f"..{quantity}"

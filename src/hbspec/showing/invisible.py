"""Invisible characters and their visible replacements: one for one, so that columns remain valid."""

from __future__ import annotations

import re
from functools import cache

# Besides the controls: soft hyphen, direction marks and overrides (CVE-2021-42574), invisible operators, fillers,
# annotations, the language tags of plane 14, halves of surrogate pairs and noncharacters. U+0085, U+2028 and U+2029
# are included because only YAML 1.1 readers end a line there.
_UNSEEN = (
    "\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f"
)
# Zero-width joiners are legitimate between two characters of Persian, Indic scripts or emoji, but not beside ASCII.
_STRAY_JOINER = "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
CONTROL = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_UNSEEN}]|{_STRAY_JOINER}")
"""Characters that neither a spec nor a value in it may contain; tabs and line ends are allowed."""


_MARKS = "\u034f\u17b4\u17b5\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""What a value may contain, and nothing shows beside ASCII: joiners, and selectors of a variant of the sign before."""


@cache
def unseen() -> re.Pattern[str]:
    """The pattern of characters that may stand in a word without being seen; tabs and line ends are not among them."""
    return re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_UNSEEN}{_MARKS}]")


def printable(text: str) -> str:
    r"""The text with invisible characters replaced: controls by their Unicode pictures, all others by U+FFFD.

    >>> printable("a\tb\x1b[31m")
    'a␉b␛[31m'
    """
    return text if text.isascii() and text.isprintable() else _invisible().sub(_pictured, text)


@cache
def _invisible() -> re.Pattern[str]:
    """The pattern of invisible characters, compiled on first use: most printed text is plain."""
    return re.compile(f"[\x00-\x1f{_UNSEEN}]|{_STRAY_JOINER}")


def _pictured(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"

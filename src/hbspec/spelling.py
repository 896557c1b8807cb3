"""Suggestions for misspelt words."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LEFT_OUT = re.compile(r"[-_ ]")


def bare(word: str) -> str:
    """A word for comparison: without case, hyphens, underscores and spaces.

    >>> bare("Learning-Rate") == bare("learning_rate")
    True
    """
    return _LEFT_OUT.sub("", word).casefold()


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelled most like `word`; None if no known word is similar.

    >>> nearest("LORA_R", ["lora_r", "lora_alpha"]), nearest("xyzzy", ["lora_r"])
    ('lora_r', None)
    """
    from difflib import get_close_matches  # about 2 ms, which a word that is known does not take

    by_bare = {bare(name): name for name in known}
    found = get_close_matches(bare(word), by_bare, n=1)
    return by_bare[found[0]] if found else None

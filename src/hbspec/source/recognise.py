"""Recognition of specs by their top-level keys, without parsing.

If a file that is meant as a spec were skipped silently, its author would be told "no errors". So files with a misspelt
`hbspec`, in another encoding, in JSON, or without the key are recognised as well; the parser then reports what is wrong
with them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from hbspec.source.encodings import encoding_of
from hbspec.source.endings import is_json, is_yaml
from hbspec.source.layers import EXTENDS
from hbspec.source.limits import MAX_BYTES, MAX_EXTENDS
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.spelling import bare

KEY = "hbspec"
DISTINCTIVE = frozenset(("hyperparameters", "instance"))
"""Required sections of a spec, which files of other programs do not have together with two more of its sections."""
SECTIONS = 3

_FIRST_KEYS = r"""(?m)^\{?["']?([A-Za-z_][\w-]*)["']?[ \t]*:"""
_JSON_KEY = r'"hbspec"\s*:'
_EXTENDS = rf"""(?m)^["']?{EXTENDS}["']?[ \t]*:[ \t]*["']?([^"'#\n]+?)["']?[ \t]*(?:#.*)?$"""


def looks_like_spec(path: Path, sections: Collection[str], text: str | None = None) -> bool:
    """Whether a file is meant to be a spec; True for YAML that cannot be read, so that its fault is reported.

    A file looks like a spec if it has the key `hbspec` or one that differs by one letter; if it extends such a file; if
    it extends a missing file and has only sections; or if it has three sections, `instance` or `hyperparameters` among
    them, and no file beside it extends it.

    Args:
        path: a file.
        sections: the keys that a spec may have at its top level.
        text: what the file holds, instead of its content on the disk.
    """
    if text is None:
        try:
            text = _text(read_bytes(path, MAX_BYTES))
        except UnreadablePathError:
            return not is_json(path.name)
    keys = _keys(text)
    inherited, is_lost = _inherited(path, text)
    if any(map(_is_nearly_the_key, keys)) or any(_is_base(base, sections) for base in inherited):
        return True
    if is_lost and keys <= {EXTENDS, *sections}:
        return True
    named = keys & set(sections)
    return len(named - {"name"}) >= SECTIONS and bool(named & DISTINCTIVE) and not _is_extended(path)


def _text(data: bytes) -> str:
    return data.decode(encoding_of(data), "replace")


def _keys(text: str) -> set[str]:
    """The top-level keys: in JSON all of them, in YAML those that begin a line."""
    if text.lstrip().startswith("{"):
        if "hb" not in text.casefold() and "hyperparameters" not in text and "instance" not in text:
            return set()  # most JSON is not worth parsing
        import json

        try:
            return set(json.loads(text))
        except (ValueError, RecursionError):
            return {KEY} if re.search(_JSON_KEY, text) else set(re.findall(_FIRST_KEYS, text))
    return set(re.findall(_FIRST_KEYS, text))


def _is_nearly_the_key(key: str) -> bool:
    """Whether a key is `hbspec` with at most one letter changed, missing, added or swapped with the next.

    Case, hyphens and underscores do not count.
    """
    key = bare(key)
    places = range(len(KEY) + 1)
    swapped = {KEY[:at] + KEY[at : at + 2][::-1] + KEY[at + 2 :] for at in places}
    one_less = any(KEY[:at] + KEY[at + 1 :] == key for at in places)
    one_more = len(key) == len(KEY) + 1 and any(key[:at] + key[at + 1 :] == KEY for at in range(len(key)))
    one_other = len(key) == len(KEY) and sum(a != b for a, b in zip(key, KEY, strict=True)) <= 1
    return key in swapped or one_less or one_more or one_other


def _inherited(path: Path, text: str) -> tuple[list[str], bool]:
    """The texts of the files that a file extends, and whether the last of them extends a missing file."""
    texts: list[str] = []
    while (base := _base(path, text)) is not None:
        try:
            text = _text(read_bytes(base, MAX_BYTES))
        except UnreadablePathError:
            return texts, is_yaml(base.name) or is_json(base.name)
        if len(texts) == MAX_EXTENDS:  # they extend each other
            return texts, True
        texts, path = [*texts, text], base
    return texts, False


def _is_base(text: str, sections: Collection[str]) -> bool:
    keys = _keys(text)
    return any(map(_is_nearly_the_key, keys)) or len(keys & set(sections) - {"name"}) >= SECTIONS


def _base(path: Path, text: str) -> Path | None:
    """The file that a text extends; None if it extends none."""
    found = re.search(_EXTENDS, text)
    return path.parent / found[1] if found and "\0" not in found[1] else None


def _is_extended(path: Path) -> bool:
    """Whether a YAML file beside a file, or in a folder beside it, extends it, so that it is checked as its part."""
    real = os.path.realpath(path)
    for pattern in ("*", "*/*"):
        for other in path.parent.glob(pattern):
            if is_yaml(other.name) and other.is_file():
                try:
                    base = _base(other, _text(read_bytes(other, MAX_BYTES)))
                except UnreadablePathError:
                    continue
                if base is not None and os.path.realpath(base) == real:
                    return True
    return False

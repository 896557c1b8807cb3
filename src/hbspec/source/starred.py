"""A spec's text with its credentials starred out, however they are spelled there.

A credential is recognised by its value or its key, but the text may spell both otherwise: with escapes (YAML 1.2.2,
section 5.7), with an anchor or a tag between them (section 6.9), or in base64 (https://yaml.org/type/binary.html). So
each scalar is judged by its value, and starred out as a whole where it is spelled otherwise; what cannot be read as
YAML is judged as text, with its escapes undone.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from hbspec.showing.invisible import unseen
from hbspec.showing.secrets import redact
from hbspec.source.limits import MAX_DEPTH
from hbspec.source.parser import PARSER

_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})|([/ ])|([0abvfeNLP]))"
)
"""Escapes by code, of signs that mean themselves, and of signs that are not seen."""
_UNSEEN = "\0"
"""Stands for each of the last, all of which `redact` looks through."""
_BINARY = re.compile(
    r"""!(?:[\w-]{0,100}!|<tag:yaml[.]org,2002:)?binary>?(?:\s{1,99}&\S{1,200})?\s{1,99}(?:[|>][-+0-9]{0,2}\s{1,99})?
    ["']?([A-Za-z0-9+/](?:[A-Za-z0-9+/]|\s){0,65536}={0,2})""",
    re.VERBOSE,
)
_BINARY_TAGS = ("tag:yaml.org,2002:binary", "!binary")


def starred(text: str) -> str:
    r"""The text with every credential starred out; its length and its lines are unchanged.

    >>> starred(r'password: &pw "s3c\x72et"')
    'password: ***************'
    """
    shown = list(_redacted_with_escapes_undone(text))
    for coded in _BINARY.finditer(text):
        if redact(decoded := _decoded(coded[1])) != decoded:
            shown[coded.start(1) : coded.end(1)] = re.sub(r"[^\r\n]", "*", coded[1])
    for name, (value, start, end) in _scalars(text):
        named = f"{name}: {value}" if name else value
        if (hidden := redact(named)) == named:
            continue
        shown[start:end] = map(_more_starred, shown[start:end], _as_spelled(text[start:end], value, hidden))
    return "".join(shown)


def _decoded(coded: str) -> str:
    """What base64 stands for, as text; empty where it is not base64."""
    signs = "".join(coded.split()).rstrip("=")
    try:
        return b64decode(signs[: len(signs) - (len(signs) % 4 == 1)] + "==").decode("utf-8", "replace")
    except ValueError:
        return ""


def _as_spelled(spelling: str, value: str, hidden: str) -> str:
    """A scalar's text with what `hidden` stars out of its value, or all stars if it is spelled otherwise."""
    quotes = (len(spelling) - len(value)) // 2
    if quotes in (0, 1) and len(spelling) == len(value) + 2 * quotes and spelling.find(value) == quotes:
        return spelling[:quotes] + hidden[len(hidden) - len(value) :] + spelling[quotes + len(value) :]
    return re.sub(r"[^\r\n]", "*", spelling)


def _more_starred(sign: str, other: str) -> str:
    return "*" if other == "*" else sign


def _redacted_with_escapes_undone(text: str) -> str:
    redacted = redact(text)
    if "\\" not in text:
        return redacted
    undone, origins, last = [], [], 0  # the text without escapes, and where each of its characters was written
    for escape in _ESCAPE.finditer(text):
        undone += [*text[last : escape.start()], _meant(escape)]
        origins += [*range(last, escape.start()), escape.start()]
        last = escape.end()
    undone += text[last:]
    origins += [*range(last, len(text)), len(text)]
    shown = list(redacted)
    for at, (meant, seen) in enumerate(zip(undone, redact("".join(undone)), strict=True)):
        if meant != seen:
            shown[origins[at] : origins[at + 1]] = "*" * (origins[at + 1] - origins[at])
    return "".join(shown)


def _meant(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    sign = chr(int(code, 16)) if code else escape[4] or _UNSEEN
    return sign if sign.isprintable() or unseen().match(sign) else " "


class _Written(NamedTuple):
    """A scalar and where it is written: indices of the text."""

    value: str
    start: int
    end: int


@dataclass(slots=True)
class _Frame:
    """A mapping or a list that is being read: the name of its values, and whether a key is expected next."""

    name: str
    is_mapping: bool
    expects_key: bool


@dataclass(slots=True)
class _Names:
    """The name of the scalar that is read next, as the nearest key around it."""

    frames: list[_Frame] = field(default_factory=list)

    def expects_key(self) -> bool:
        """Whether the next value is a key."""
        return bool(self.frames) and self.frames[-1].expects_key

    def current(self) -> str:
        """The nearest key; empty for a key and for the root."""
        return "" if self.expects_key() or not self.frames else self.frames[-1].name

    def placed(self, value: str) -> None:
        """A value, or a key, was read."""
        if self.frames and self.frames[-1].is_mapping:
            frame = self.frames[-1]
            if frame.expects_key:
                frame.name = value
            frame.expects_key = not frame.expects_key


def _scalars(text: str) -> Iterator[tuple[str, _Written]]:
    """Every scalar with the nearest key around it; an alias stands for a value that is written elsewhere."""
    names, anchors = _Names(), dict[str, _Written]()
    for event in _events(text):
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            is_mapping = isinstance(event, MappingStartEvent)
            names.frames.append(_Frame(names.current(), is_mapping, is_mapping))
            if len(names.frames) > MAX_DEPTH:
                return
        elif isinstance(event, CollectionEndEvent):
            names.frames.pop()
            names.placed("")
        elif isinstance(event, ScalarEvent | AliasEvent):
            written = _written(text, event) if isinstance(event, ScalarEvent) else anchors.get(event.anchor or "")
            if written is None:
                written = _Written("", 0, 0)
            elif event.anchor:
                anchors[event.anchor] = written
            yield names.current(), written
            names.placed(written.value)


def _events(text: str) -> Iterator[Any]:
    """The events of the text, up to where it can no longer be read."""
    parser = PARSER(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    except yaml.YAMLError:
        return
    finally:
        parser.dispose()


def _written(text: str, event: Any) -> _Written:
    """A block scalar ends with its last line, not at the next token."""
    start, end = event.start_mark.index, event.end_mark.index
    value = _decoded(event.value) if event.tag in _BINARY_TAGS else event.value
    return _Written(value, start, start + len(text[start:end].rstrip()))

"""A spec as YAML text, with a comment beside each value that its author did not write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hbspec.diagnostics import Route
from hbspec.showing.scalars import scalar_text

PLAIN = re.compile(r"[A-Za-z][\w./+-]*")
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off"))
"""Words that some YAML readers take for something else than text."""


def spec_text(values: Mapping[str, Any], comments: Mapping[Route, str], head: Iterable[str]) -> str:
    """The text of a spec: `head` as comments, then every section with its keys, in the order of the values."""
    lines = [*(f"# {_line(line)}" for line in head), *_mapping(values, comments, ())]
    return "".join(f"{line}\n" for line in lines)


def _mapping(values: Mapping[str, Any], comments: Mapping[Route, str], above: Route) -> Iterator[str]:
    for key, value in values.items():
        route, indent = (*above, key), "  " * len(above)
        said = f" # {_line(comments[route])}" if route in comments else ""
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_scalar(key)}:{said}"
            yield from _mapping(value, comments, route)
        else:
            yield f"{indent}{_scalar(key)}: {_flow(value)}{said}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value as YAML reads it back; texts in quotes where they might be read as something else."""
    if value is None:
        return "null"
    if not isinstance(value, str):
        return scalar_text(value)
    is_plain = PLAIN.fullmatch(value) and value.casefold() not in WORDS
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())

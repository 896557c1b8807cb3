"""The keys of DeepSpeed's configuration, and what DeepSpeed would refuse or ignore in one.

`data/deepspeed.json` is generated from the source of DeepSpeed's pydantic models (`tools/generate_deepspeed_keys.py`).
They refuse unknown keys in a section; at the top level DeepSpeed ignores them, so that a misspelt one has no effect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from hbspec.catalog.rows import DATA
from hbspec.spelling import nearest

AUTO = "auto"
"""A value that transformers fills in; DeepSpeed's models take a key with it for one that is not set."""
BOOLEANS = ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0")
"""Strings that pydantic reads as a boolean (docs.pydantic.dev, "Conversion Table")."""
NOUNS = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "a string"}
SIGNS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


class Refusal(NamedTuple):
    """What is wrong with a configuration.

    Attributes:
        key: the path of the key, as in `zero_optimization.stage`.
        message: what is wrong, a sentence that names the key.
        action: what to do, an imperative.
    """

    key: str
    message: str
    action: str


def problems(values: Mapping[str, Any]) -> Iterator[Refusal]:
    """Everything that is wrong with the keys and the types of a configuration."""
    table = _table()
    for key, value in values.items():
        if key in table["removed"]["top_level"]:
            yield Refusal(key, f"`{key}` has been removed from DeepSpeed, which refuses it", f"delete `{key}`")
        elif key not in table["top"]:
            yield _unknown(key, "DeepSpeed has no key `{}` and ignores it", table["top"])
        else:
            yield from _value(key, value, table["top"][key])


def _section(path: str, values: Any, name: str) -> Iterator[Refusal]:
    table = _table()
    known = table["sections"][name]
    if not isinstance(values, Mapping):
        yield Refusal(path, f"`{path}` is {_shown(values)}, not a mapping", f"write `{path}` as a mapping of keys")
        return
    for key, value in values.items():
        below = f"{path}.{key}"
        if path == "zero_optimization" and key in table["removed"]["zero"]:
            yield Refusal(below, f"`{below}` has been removed from DeepSpeed, which refuses it", f"delete `{below}`")
        elif key not in known:
            yield _unknown(below, "DeepSpeed has no key `{}` and refuses it", known)
        else:
            yield from _value(below, value, known[key])


def _unknown(path: str, message: str, known: Mapping[str, Any]) -> Refusal:
    above, _, key = path.rpartition(".")
    near = nearest(key, known)
    action = f"did you mean `{above}.{near}`?" if near and above else f"did you mean `{near}`?" if near else None
    return Refusal(path, message.format(path), action or f"delete `{path}`")


def _value(path: str, value: Any, expected: Mapping[str, Any]) -> Iterator[Refusal]:
    """What is wrong with a value; pydantic converts strings and whole numbers, and so does this."""
    if value == AUTO or (value is None and expected.get("optional")):
        return
    if "section" in expected:
        yield from _section(path, value, expected["section"])
        return
    if "choices" in expected:
        if isinstance(value, bool) or value not in expected["choices"]:
            choices = ", ".join(map(str, expected["choices"]))
            yield Refusal(path, f"`{path}` is {_shown(value)}, not one of {choices}", f"set `{path}` to one of them")
        return
    kind = expected.get("type")
    if kind and not _is_a(kind, value):
        yield Refusal(
            path, f"`{path}` is {_shown(value)}, not {NOUNS[kind]}", f"write {NOUNS[kind]} or delete `{path}`"
        )
        return
    for bound, sign in SIGNS.items():
        if bound in expected and not _holds(bound, float(value), expected[bound]):
            limit = f"{sign} {expected[bound]:g}"
            yield Refusal(path, f"`{path}` is {_shown(value)}; it must be {limit}", f"set `{path}` to {limit}")


def _is_a(kind: str, value: Any) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool) or value in (0, 1) or (isinstance(value, str) and value.lower() in BOOLEANS)
    number = _number(value)
    return number is not None and (kind == "number" or number.is_integer())


def _number(value: Any) -> float | None:
    """The finite number that pydantic reads from a value; None if it reads none."""
    if isinstance(value, Mapping | list | None):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _holds(bound: str, value: float, limit: float) -> bool:
    return {"gt": value > limit, "ge": value >= limit, "lt": value < limit, "le": value <= limit}[bound]


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads((DATA / "deepspeed.json").read_text(encoding="utf-8"))
    return table

"""Parsers of settings: each takes the text that was handed over, and raises ValueError saying what it must be.

Nothing here imports more than the standard library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any


def text(value: str) -> str:
    """Anything but nothing."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def flag(value: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


def choice(*allowed: str) -> Callable[[str], str]:
    """A parser of some words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def whole(at_least: int) -> Callable[[str], int]:
    """A parser of whole numbers with a lower bound."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", value) or int(value) < at_least:
            raise ValueError(f"must be a whole number, {at_least} or more")
        return int(value)

    return parse


def cap(value: str) -> int | None:
    """A number of tokens, 1 or more; None for `none`."""
    return None if value == "none" else whole(1)(value)


def updates(at_least: int) -> Callable[[str], float]:
    """A parser of updates: whole numbers with a lower bound, or a share of all updates, above 0 and below 1."""

    def parse(value: str) -> float:
        given = _float(value)
        if 0 < given < 1:
            return given
        if not given.is_integer() or given < at_least:
            raise ValueError(f"must be a whole number, {at_least} or more, or a share of the updates below 1")
        return int(given)

    return parse


def number(meaning: str, holds: Callable[[float], bool]) -> Callable[[str], float]:
    """A parser of numbers in a range."""

    def parse(value: str) -> float:
        given = _float(value)
        if not holds(given):  # false for nan too
            raise ValueError(f"must be a number, {meaning}")
        return given

    return parse


def _float(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def names(value: str) -> tuple[str, ...]:
    """A JSON list of names."""
    try:
        given = json.loads(value)
    except ValueError:
        given = None
    if not isinstance(given, list) or not given or not all(isinstance(name, str) and name for name in given):
        raise ValueError('must be a JSON list of names, like ["q_proj", "v_proj"]')
    return tuple(given)


def functions(value: str) -> tuple[str, ...]:
    """Functions in Python files, `file.py:name`, comma separated."""
    given = tuple(word.strip() for word in value.split(","))
    if not all(re.fullmatch(r"[\w.-]+\.py:[A-Za-z_]\w*", word) for word in given):
        raise ValueError("must be file.py:name, or several of them with commas, like rewards.py:right_answer")
    return given


def columns(value: str) -> dict[str, str]:
    """A JSON map of names to names."""
    given = _map(value)
    if not given or not all(isinstance(name, str) and name for name in given.values()):
        raise ValueError('must be a JSON map of names, like {"prompt": "question"}')
    return given


def weights(value: str) -> dict[str, float]:
    """A JSON map of names to numbers above 0."""
    given = _map(value)
    if not given or not all(type(each) in (int, float) and 0 < each <= 1000 for each in given.values()):
        raise ValueError('must be a JSON map of names to numbers above 0, up to 1000, like {"a.jsonl": 0.5}')
    return given


def _map(value: str) -> dict[str, Any]:
    try:
        given = json.loads(value)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def targets(value: str) -> str | tuple[str, ...]:
    """A JSON list of names, `all-linear`, `default`, or a regular expression of whole paths."""
    if value.startswith("["):
        try:
            return names(value)
        except ValueError as reason:
            raise ValueError(f"{reason}, or all-linear") from None
    allowed = "must be a JSON list of names, all-linear, default, or a regular expression of whole paths"
    if value not in ("all-linear", "default") and re.fullmatch(r"\w*", value):  # which matches no whole path
        raise ValueError(allowed)
    try:
        re.compile(value)
    except re.error as reason:
        raise ValueError(f"{allowed} ({reason})") from None
    return value


def layers(value: str) -> tuple[int, ...]:
    """A JSON list of the indices of layers."""
    try:
        given = json.loads(value)
    except ValueError:
        given = None
    if not isinstance(given, list) or not given or not all(type(index) is int and index >= 0 for index in given):
        raise ValueError("must be a JSON list of whole numbers, like [0, 1]")
    return tuple(given)


def arguments(value: str) -> dict[str, Any]:
    """A JSON map of names to numbers, texts or booleans."""
    given = _map(value)
    if not given or not all(isinstance(each, (bool, int, float, str)) for each in given.values()):
        raise ValueError('must be a JSON map of names to values, like {"num_cycles": 2}')
    return given

"""One argument of vLLM's command line and its words, as argparse and pydantic judge them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

SIZE = re.compile(r"-?\d+|\d+(?:\.\d+)?[kKmMgGtT]")
"""Whole numbers with a suffix: `human_readable_int` of vLLM's engine/arg_utils.py."""
VERIFIED = ("quantization",)
"""Arguments that take any word for plugins, of which vLLM then knows only those of its list (`ModelConfig`)."""
ADAPTER = ("name", "path")
"""What vLLM needs of an entry of `--lora-modules` (`LoRAModulePath`)."""


def refused(name: str, words: Sequence[str], known: Mapping[str, Any]) -> str | None:
    """Why vLLM would refuse an argument; None where it accepts it.

    Args:
        name: the argument without its dashes, such as `max-model-len`, or `no-` and the name of a flag.
        words: what follows it on the command line.
        known: the arguments of the release.
    """
    switched_off = name.removeprefix("no-")
    if name not in known and switched_off in known and _is_pair(known[switched_off]):
        return f"--{name} takes no value" if words else None
    if name not in known:
        return f"vLLM has no argument --{name}"
    expected = known[name]
    kind = expected["kind"]
    if kind == "flag":
        return f"--{name} takes no value, but is followed by {words[0]!r}" if words else None
    if not words:
        return None if expected.get("bare") else f"--{name} needs a value"
    if kind == "list":
        return _adapters(words) if name == "lora-modules" else None
    if len(words) > 1:
        return f"--{name} takes one value, not {len(words)}"
    return _value(name, words[0], expected)


def _is_pair(expected: Mapping[str, Any]) -> bool:
    return expected["kind"] == "flag" and not expected.get("only")


def _value(name: str, word: str, expected: Mapping[str, Any]) -> str | None:
    kind = expected["kind"]
    if expected.get("optional") and word in ("", "None"):
        return None
    listed = expected.get("choices") or (expected.get("open") if name in VERIFIED else None)
    if listed is not None and word not in map(str, listed):
        return f"--{name} {word} is not one of {', '.join(map(str, listed))}"
    if kind == "json" and not _is_json(word):
        return f"--{name} {word!r} is not JSON"
    if kind == "size":
        taken = SIZE.fullmatch(word) or (word == "auto" and name == "max-model-len")
        return None if taken else f"--{name} {word!r} is not a number of tokens"
    if kind not in ("int", "float"):
        return None
    try:
        number = int(word) if kind == "int" else float(word)
    except ValueError:
        return f"--{name} {word!r} is not {'a whole number' if kind == 'int' else 'a number'}"
    return _outside(name, number, expected)


def _outside(name: str, number: float, expected: Mapping[str, Any]) -> str | None:
    """The bound of pydantic's field that a number exceeds."""
    within = {
        "gt": number > expected.get("gt", number - 1),
        "ge": number >= expected.get("ge", number),
        "lt": number < expected.get("lt", number + 1),
        "le": number <= expected.get("le", number),
    }
    signs = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    bound = next((one for one, holds in within.items() if not holds), None)
    return None if bound is None else f"--{name} is {number:g}, but has to be {signs[bound]} {expected[bound]}"


def _adapters(words: Sequence[str]) -> str | None:
    """What is wrong with the entries of `--lora-modules`: `name=path`, or JSON with both."""
    for word in words:
        if "=" in word and "," not in word:
            continue
        entry = json.loads(word) if _is_json(word) else None
        if not isinstance(entry, dict) or not all(entry.get(key) for key in ADAPTER):
            return f"--lora-modules {word!r} names no adapter and path"
    return None


def _is_json(word: str) -> bool:
    try:
        json.loads(word)
    except ValueError:
        return False
    return True

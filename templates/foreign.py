"""Examples as Alpaca and ShareGPT lay them out, read as conversations.

Alpaca: `instruction`, `input` and `output`, with `system` and `history` where there are any
(https://github.com/tatsu-lab/stanford_alpaca#data-release). The texts around them that Alpaca's own prompt has
("### Instruction:") are left out: the chat template has others. ShareGPT: `conversations` of `from` and `value`, with
`system` where there is one (https://github.com/lm-sys/FastChat). Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records import Layout, quoted

FOREIGN: Mapping[str, Layout] = {"alpaca": Layout("Alpaca", ""), "sharegpt": Layout("ShareGPT", "")}
"""Layouts that are recognised, and that no job reads; they have no format of TRL's."""
COLUMNS = {
    "Alpaca": frozenset({"instruction", "input", "output", "system", "history"}),
    "ShareGPT": frozenset({"conversations", "system", "tools"}),
}
"""The columns that become messages."""
ROLES = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function_response"), "tool"),
    "system": "system",
}
"""Roles by the names that ShareGPT's files use. A `function_call` is not among them: it is a turn without words."""

Messages = list[dict[str, str]]


def as_messages(value: Mapping[str, Any], layout: Layout) -> Messages:
    """The messages of an example.

    Raises:
        ValueError: it cannot be said as messages; the message says why.
    """
    opening = _optional(value, "system")
    start = [{"role": "system", "content": opening}] if opening else []
    return start + (_of_alpaca(value) if layout == FOREIGN["alpaca"] else _of_sharegpt(value))


def _of_alpaca(value: Mapping[str, Any]) -> Messages:
    found: Messages = []
    history = value.get("history") or []
    if not isinstance(history, list):
        raise ValueError('"history" is not a list of questions and answers')
    for pair in history:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise ValueError('"history" is not a list of questions and answers')
        found += _exchange(*pair)
    more = _optional(value, "input")
    question = _text(value, "instruction")
    return found + _exchange(f"{question}\n\n{more}" if more else question, _text(value, "output"))


def _exchange(question: str, answer: str) -> Messages:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _of_sharegpt(value: Mapping[str, Any]) -> Messages:
    turns = value.get("conversations")
    if not isinstance(turns, list) or not turns:
        raise ValueError('"conversations" is not a list of turns')
    if value.get("tools"):
        raise ValueError('"tools" cannot be said in messages of role and content')
    return [_turn(number, turn) for number, turn in enumerate(turns, 1)]


def _turn(number: int, turn: Any) -> dict[str, str]:
    if not isinstance(turn, dict):
        raise ValueError(f"turn {number} is not a map")
    speaker, text = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
    if not isinstance(speaker, str) or speaker not in ROLES:
        raise ValueError(f"a turn is from {quoted(repr(speaker))}, not one of {', '.join(ROLES)}")
    if not isinstance(text, str):
        raise ValueError(f"turn {number} has no text")
    return {"role": ROLES[speaker], "content": text}


def _text(value: Mapping[str, Any], column: str) -> str:
    held = value.get(column)
    if not isinstance(held, str):
        raise ValueError(f'"{column}" is not a text')
    return held


def _optional(value: Mapping[str, Any], column: str) -> str:
    return "" if value.get(column) is None else _text(value, column)

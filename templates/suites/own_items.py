"""A user's own suite: one file of JSON lines, `NAME.jsonl`, with one item a line.

    {"id": "cf", "prompt": "31 for, 27 against: CF%?", "expect": {"number": 53.4, "tolerance": 0.1, "unit": "%"}}
    {"id": "tone", "messages": [{"role": "user", "content": "Who are you?"}], "expect": {"contains": "Canadiens"}}

`expect` holds one of these, and an answer is compared without its reasoning:

- `number`, with `tolerance` (0 without it) and `unit` (`%` and `per 60` are compared, nouns are not): the final
  answer by the rule of `answers.py`. The prompt is told the rule, unless its last message already says `Answer:`.
- `text`: the whole answer is this text, or what follows `Answer:`. Capitals, spaces and a full stop do not count.
- `one_of`: a list of texts, of which one is it.
- `contains`: a text, or a list of texts that all stand in the answer; capitals do not count.
- `regex`: Python's `re.search` finds it in the answer.
- `tools`: a list of tools that the answer names as `[TOOL: name]`, in this order, and no others.

What every answer would fulfil is refused: an empty text, and a regular expression that matches nothing as well.
`template` names the items that are not independent of each other; without it, an item is its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import answers
from .answers import FORM, Asked
from .case_files import UnusableError, chat, read
from .items import RIGHT, WRONG, Item, Scored, digest_of_bytes
from .tool_usage import seeded, tools
from .written_numbers import numbers

VERSION = 1
TOKENS = 2048
MOST_TOKENS = 10**6
KEYS = frozenset(("id", "template", "messages", "prompt", "expect", "max_tokens"))
ACTION = 'write one item a line: {"id": "a", "prompt": "...", "expect": {"contains": "..."}}'
LONGEST_REGEX = 500
READ = 20_000
"""Characters of an answer that a regular expression is tried on, from its end: one may take long for more."""


@dataclass(frozen=True)
class OwnItems:
    """The items of a file; those of its lines that cannot be used are in `faults`, and no part of the score."""

    name: str
    written: tuple[Item, ...]
    digest: str
    faults: Mapping[str, tuple[int, ...]]

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it: the items in an order that the seed decides."""
        yield from seeded(self.written, seed)[:count]

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it, by what the item expects."""
        ((kind, expected),) = item.reference.items()
        return answers.silent(answer) or SCORERS[kind](expected, answer)


def load(name: str, path: Path) -> OwnItems:
    """The suite of a file.

    Raises:
        SuiteError: the file cannot be read, or holds no item.
    """
    known: set[str] = set()

    def use(value: Any) -> Item:
        item = _item(value)
        if item.id in known:
            raise UnusableError("`id` is that of an earlier line")
        known.add(item.id)
        return item

    found = read(path, use, ACTION)
    digest = digest_of_bytes(name, VERSION * 1000 + answers.VERSION, found.content)
    return OwnItems(name, tuple(item for _, item in found.lines), digest, found.faults)


def _item(value: Any) -> Item:
    if not isinstance(value, dict):
        raise UnusableError("not a JSON object")
    if set(value) - KEYS:
        raise UnusableError(f"unknown key {min(set(value) - KEYS, key=str)[:40]!r}")
    key = _text(value.get("id"), "id")
    tokens = value.get("max_tokens", TOKENS)
    if not isinstance(tokens, int) or isinstance(tokens, bool) or not 0 < tokens <= MOST_TOKENS:
        raise UnusableError(f"`max_tokens` is not an integer of 1 to {MOST_TOKENS}")
    if ("messages" in value) == ("prompt" in value):
        raise UnusableError("not exactly one of `messages` and `prompt`")
    messages = chat(value["messages"]) if "messages" in value else _asked(_text(value["prompt"], "prompt"))
    if messages[-1]["role"] != "user":
        raise UnusableError("the last message is not the user's")
    reference = _expected(value.get("expect"))
    if "number" in reference and "answer:" not in messages[-1]["content"].casefold():
        last = messages[-1]["content"]
        messages = (*messages[:-1], {"role": "user", "content": f"{last}\n\n{FORM}"})
    return Item(key, _text(value.get("template", key), "template"), messages, reference, tokens)


def _asked(prompt: str) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": prompt},)


def _expected(expect: Any) -> dict[str, Any]:
    """What an answer is compared with: one kind, with its value as the scorer takes it."""
    if not isinstance(expect, dict):
        raise UnusableError("no `expect`")
    kinds = [kind for kind in SCORERS if kind in expect]
    if len(kinds) != 1:
        raise UnusableError(f"`expect` does not hold exactly one of {', '.join(SCORERS)}")
    (kind,) = kinds
    if set(expect) - {kind} - ({"tolerance", "unit"} if kind == "number" else set()):
        raise UnusableError("`expect` holds a key that is not read")
    value = expect[kind]
    if kind == "number":
        unit = expect.get("unit", "")
        asked = Asked(_number(value, "number"), abs(_number(expect.get("tolerance", 0), "tolerance")), _unit(unit))
        return {kind: asked.reference()}
    if kind == "text":
        return {kind: _text(value, "text")}
    if kind == "regex":
        return {kind: _pattern(value)}
    texts = value if isinstance(value, list) else [value] if kind == "contains" else []
    if not texts:
        raise UnusableError(f"`{kind}` is not a list of texts")
    return {kind: [_text(each, kind) for each in texts]}


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not _plain(value):
        raise UnusableError(f"`{key}` is not a text, or is empty")
    return value


def _number(value: Any, key: str) -> Fraction:
    """A JSON number, as it is written in decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**30:
        raise UnusableError(f"`{key}` is not a finite number")
    return Fraction(str(value))


def _unit(unit: Any) -> str:
    """The unit as `answers.py` compares it: nouns are none."""
    if not isinstance(unit, str):
        raise UnusableError("`unit` is not a text")
    return numbers(f"1 {unit}")[0].unit


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UnusableError("`regex` is not a text, or is empty")
    text = value
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError):
        raise UnusableError("`regex` is not a regular expression") from None
    if len(text) > LONGEST_REGEX or pattern.search("") or pattern.search("\u2205"):
        raise UnusableError("`regex` matches every answer, or is too long")
    return text


def _plain(text: str) -> str:
    """A text without what does not count in a comparison."""
    return " ".join(text.casefold().replace("*", "").replace("`", "").split()).strip(" .")


def _scored_number(expected: Any, answer: str) -> Scored:
    return answers.judged(answers.asked_of(expected), answer)


def _scored_texts(expected: list[str], answer: str) -> Scored:
    """Right where the whole answer, or everything that follows `Answer:`, is one of the texts."""
    said = answers.spoken(answer) or ""
    finals = {_plain(final) for final in answers.labelled(said, "Answer")} or {_plain(said)}
    right = len(finals) == 1 and finals <= {_plain(text) for text in expected}
    return _told(right, " or ".join(expected), answer)


def _scored_contains(expected: list[str], answer: str) -> Scored:
    said = " ".join((answers.spoken(answer) or "").casefold().split())
    missing = [text for text in expected if " ".join(text.casefold().split()) not in said]
    return _told(not missing, ", ".join(missing or expected), answer)


def _scored_regex(expected: str, answer: str) -> Scored:
    return _told(re.search(expected, (answers.spoken(answer) or "")[-READ:]) is not None, expected, answer)


def _scored_tools(expected: list[str], answer: str) -> Scored:
    found = tools(answers.spoken(answer) or "")
    return _told(found == tuple(tool.casefold() for tool in expected), " > ".join(expected), answer)


def _told(right: bool, expected: str, answer: str) -> Scored:
    said = answers.spoken(answer) or ""
    if right:
        return Scored(True, RIGHT, answers.shown(expected))
    kind = "refused" if answers.refuses(said) else WRONG
    return Scored(False, kind, f"{answers.shown(said)}; expected {answers.shown(expected)}")


SCORERS: dict[str, Callable[[Any, str], Scored]] = {
    "number": _scored_number,
    "text": lambda expected, answer: _scored_texts([expected], answer),
    "one_of": _scored_texts,
    "contains": _scored_contains,
    "regex": _scored_regex,
    "tools": _scored_tools,
}
"""By the key under `expect`."""

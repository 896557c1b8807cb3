"""The suite tool-usage: which tools an answer names and in which order, compared with held-out conversations.

An answer names a tool as `[TOOL: name]`; a tool's place is that of its first mention. The references are the tools that
the author's own answers name, in the validation split: JSON lines with `messages`, the last one the assistant's. A
prompt that stands in several lines is one item, and every sequence of its lines is right.

How far an analysis goes on is often not decided by the prompt: of the same question with other names, some answers end
after two tools and some add a third and a fourth. A sequence is therefore right as well if other lines of the same
template show it and it is a beginning of one of the prompt's own, or goes on where one ends. Other tools and other
orders are never right. The template of a prompt is its system message with the first three words of its last message,
where a name in the possessive stands for any other.

Where the reference names no tool, it asks what is meant: the answer has to name none, and to hold a
question mark and three words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from . import answers
from .case_files import UnusableError, chat, read
from .items import RIGHT, Item, Scored, digest_of_bytes

NAME = "tool-usage"
VERSION = 1
TOKENS = 1024
LONGEST = 200
"""Characters of the tools that a result names."""
FEWEST_WORDS = 3
"""Of an answer that asks back."""
ACTION = "name the validation split of the training data, JSON lines with `messages`"
TRAINING_ACTION = "name the training split, or leave it out"

_TOOL = re.compile(r"\[\s{0,9}TOOL\s{0,9}:\s{0,9}([^\[\]\n]{1,80})\]", re.I)
_PLACEHOLDER = re.compile(r"\{[A-Za-z_]\w*\}")
_NAMED = re.compile(r"\b[A-Z][\w.-]*['\u2019]s$")

Sequence = tuple[str, ...]
"""Tools by their names, in order."""


class Row(NamedTuple):
    """A line: the messages before the answer, and the tools that the answer names."""

    prompt: tuple[dict[str, str], ...]
    tools: Sequence


@dataclass(frozen=True)
class ToolUsage:
    """Prompts of a validation split, each once.

    Attributes:
        prompts: every item, in the order of the file.
        digest: as `Suite` has it; of the bytes of both files.
        faults: as `Suite` has it; lines with an unfilled placeholder such as `{line}` are among them.
    """

    prompts: tuple[Item, ...]
    digest: str
    faults: Mapping[str, tuple[int, ...]]
    name: str = NAME

    @cached_property
    def baseline(self) -> float:
        """As `Suite` has it: of answers that follow from the system message alone, one sequence for each."""
        right: dict[str, Counter[Sequence]] = {}
        for item in self.prompts:
            of_system = right.setdefault(_system(item.messages), Counter())
            of_system.update(tuple(each) for each in (*item.reference["tools"], *item.reference["other_depths"]))
        return sum(max(counted.values()) for counted in right.values()) / len(self.prompts)

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it: the prompts in an order that the seed decides."""
        yield from seeded(self.prompts, seed)[:count]

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it.

        Kinds of its own: `no tool`, `unknown tool`, `other order`, `tool missing`, `tool too many`, `other tool`, and
        `no question`.
        """
        return answers.silent(answer) or _compared(item.reference, answers.spoken(answer) or "")


def seeded(items: Iterable[Item], seed: int) -> list[Item]:
    """Items in an order that the seed and their ids decide."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}/{item.id}".encode()).digest())


def load(cases: Path, training: Path | None = None) -> ToolUsage:
    """The suite of a validation split.

    Args:
        cases: the validation split.
        training: the training split, to tell the prompts that training has seen: `reference["seen"]`.

    Raises:
        SuiteError: a file cannot be read, or holds no line that can be used.
    """
    found = read(cases, _row, ACTION)
    learnt = None if training is None else read(training, _learnt, TRAINING_ACTION)
    seen = None if learnt is None else {key for _, key in learnt.lines}
    contents = [found.content] if learnt is None else [found.content, learnt.content]
    digest = digest_of_bytes(NAME, VERSION * 1000 + answers.VERSION, *contents)
    return ToolUsage(tuple(_items([row for _, row in found.lines], seen)), digest, found.faults)


def tools(text: str) -> Sequence:
    """The tools that a text names, in the order of their first mentions.

    >>> tools("**Step 1: [TOOL: parquet_query]** then [TOOL: vector_search], as [tool:Parquet_Query] said")
    ('parquet_query', 'vector_search')
    """
    return tuple(dict.fromkeys(match[1].strip().casefold() for match in _TOOL.finditer(text)))


def _row(value: Any) -> Row:
    messages = chat(value.get("messages") if isinstance(value, dict) else None)
    if messages[-1]["role"] != "assistant" or len(messages) == 1:
        raise UnusableError("the last message is not an answer of the assistant")
    if any(_PLACEHOLDER.search(message["content"]) for message in messages if message["role"] == "user"):
        raise UnusableError("unfilled placeholder")
    return Row(messages[:-1], tools(messages[-1]["content"]))


def _learnt(value: Any) -> str:
    messages = chat(value.get("messages") if isinstance(value, dict) else None)
    return _key(messages[:-1])


def _items(rows: list[Row], seen: set[str] | None) -> Iterator[Item]:
    by_prompt: dict[str, list[Row]] = {}
    shown: dict[str, set[Sequence]] = {}
    named = {tool for row in rows for tool in row.tools}
    for row in rows:
        by_prompt.setdefault(_key(row.prompt), []).append(row)
        shown.setdefault(_template(row.prompt), set()).add(row.tools)
    for key, of_prompt in by_prompt.items():
        prompt, template = of_prompt[0].prompt, _template(of_prompt[0].prompt)
        own = sorted({row.tools for row in of_prompt})
        more = {other for other in shown[template] for each in own if _goes_on(other, each) or _goes_on(each, other)}
        reference = {
            "tools": own,
            "other_depths": sorted(more - set(own)),
            "known": sorted(named | {tool for message in prompt for tool in tools(message["content"])}),
            "seen": None if seen is None else key in seen,
        }
        yield Item(key[:16], template, prompt, _plain(reference), TOKENS)


def _plain(reference: dict[str, Any]) -> dict[str, Any]:
    """With lists for tuples, as JSON gives them back."""
    return {
        name: [list(each) if isinstance(each, tuple) else each for each in value] if isinstance(value, list) else value
        for name, value in reference.items()
    }


def _goes_on(longer: Sequence, shorter: Sequence) -> bool:
    """Whether one sequence begins with the other, which names at least one tool."""
    return len(shorter) > 0 and longer[: len(shorter)] == shorter


def _key(prompt: tuple[dict[str, str], ...]) -> str:
    text = "\x1e".join(f"{message['role']}\x1f{message['content']}" for message in prompt)
    return hashlib.sha256(text.encode()).hexdigest()


def _template(prompt: tuple[dict[str, str], ...]) -> str:
    """`evaluate name's 1f0c`: the first words of the last message, and the system message by its digest."""
    words = []
    for place, word in enumerate(prompt[-1]["content"].split()[:3]):
        is_name = place > 0 and _NAMED.search(word) is not None
        words.append("name's" if is_name else word.casefold())
        if is_name:
            break
    return f"{' '.join(words)} {hashlib.sha256(_system(prompt).encode()).hexdigest()[:4]}"


def _system(prompt: tuple[dict[str, str], ...]) -> str:
    return "\x1e".join(message["content"] for message in prompt if message["role"] == "system")


def _compared(reference: Mapping[str, Any], said: str) -> Scored:
    """Compares the tools that an answer names with every sequence that is right."""
    found = list(tools(said))
    own, deeper = reference["tools"], reference["other_depths"]
    if not found:
        if [] not in own:
            kind = "refused" if answers.refuses(said) else "no tool"
            return Scored(False, kind, f"names no tool; {_shown(own)} is right")
        if "?" not in said or len(said.split()) < FEWEST_WORDS:
            return Scored(False, "no question", "names no tool, as is right, but asks nothing")
        return Scored(True, RIGHT, "names no tool and asks")
    if found in own or found in deeper:
        depth = "" if found in own else "; the data's own answer has another depth"
        return Scored(True, RIGHT, f"{_shown([found])}{depth}")
    kind = _kind(found, [*own, *deeper], reference["known"])
    return Scored(False, kind, f"{answers.shown(' > '.join(found), LONGEST)}; {_shown(own)} is right")


def _kind(found: list[str], right: list[list[str]], known: list[str]) -> str:
    if set(found) - set(known):
        return "unknown tool"
    if any(set(found) == set(each) for each in right):
        return "other order"
    if any(set(found) < set(each) for each in right):
        return "tool missing"
    if any(set(found) > set(each) for each in right):
        return "tool too many"
    return "other tool"


def _shown(right: list[list[str]]) -> str:
    return answers.shown(" or ".join(" > ".join(each) or "no tool" for each in right), LONGEST)

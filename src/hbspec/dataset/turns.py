"""Defects of a valid example: the order of its turns, empty texts, equal answers, and unfilled placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from hbspec.chat_templates.spoken import shared
from hbspec.dataset.records import CONVERSATIONAL, PROMPT, Record, refusals
from hbspec.diagnostics import Severity
from hbspec.manual import Page
from hbspec.manual.data import ANSWER, EMPTY, EQUAL, FIELD, ORDER

AFTER = {
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user", "tool"),
    "tool": ("assistant", "tool"),
}
"""Roles that may follow a role: user and assistant alternate, tools answer an assistant, a system message is first."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\bf(?:\"[^\"\n]*\"|'[^'\n]*')", re.S)
_PLACEHOLDER = re.compile(
    r"(?<![\w\\${}^/])(?:\{[A-Za-z][A-Za-z0-9_]{1,63}\}|\{\{ ?[A-Za-z][\w.]{0,63} ?\}\})(?![\w}])"
)
"""A name in single braces, or in double braces as in Jinja and Mustache.

Names after the prefixes of LaTeX (`\\frac{ab}`, `x^{ij}`), shells (`${HOME}`) and paths (`/users/{id}`) do not match;
neither does a single letter, which is more often a set."""

REFUSED = {"answer": ANSWER, "equal": EQUAL, "fields": FIELD}
"""Manual pages of the reasons why the job refuses an example (`refusals`); these are errors."""

Fault = tuple[Page, str, Severity]


def faults(record: Record, *, whole: bool = False) -> Iterator[Fault]:
    """The defects of an example, each kind once: the page, the reason (equal for similar defects), the severity.

    Args:
        record: the example.
        whole: whether conversations are learnt whole (`task: pretrain`).
    """
    conversational = record.layout.format == CONVERSATIONAL
    rows = _conversations(record) if conversational else []
    for disorder in {_disorder(roles): None for roles in rows}:
        if disorder is not None:
            yield ORDER, disorder, ORDER.severity
    for kind, what in refusals(record, whole=whole):
        yield REFUSED[kind], what, Severity.ERROR
    if not whole and any(roles[-1] != "assistant" and "assistant" in roles for roles in rows):
        yield ANSWER, "turns after the last assistant turn teach nothing", ANSWER.severity
    if not all(map(str.strip, record.contents)):
        yield EMPTY, "a turn is empty" if conversational else "a text is empty", EMPTY.severity


def placeholders(record: Record) -> Iterator[str]:
    """The unfilled placeholders in order, including repeats.

    >>> from hbspec.dataset.broken import Place
    >>> texts = ("By {factor1} and {{ name }}", "`{code}` ${HOME} /users/{id} {x} {1} {'a': 1}")
    >>> list(placeholders(Record(Place("-", 1), ("user", "assistant"), texts, (), ())))
    ['{factor1}', '{{ name }}']
    """
    for text in record.contents:
        if "{" in text:
            yield from _PLACEHOLDER.findall(_CODE.sub("`", text))


def answer_of(record: Record, column: str) -> tuple[tuple[str, bytes], ...]:
    """The roles and texts in a column."""
    parts = zip(record.columns, record.roles, record.encoded, strict=True)
    return tuple((role, text) for name, role, text in parts if name == column)


def conversation_of(record: Record) -> list[dict[str, str]]:
    """The messages of an example; of a pair, those with the chosen answer."""
    row = rows_of(record)[0]
    return [{"role": role, "content": content} for role, content in zip(row.roles, row.contents, strict=True)]


def _conversations(record: Record) -> list[tuple[str, ...]]:
    """The roles of each conversation that an example holds: one, or one with each answer of a pair."""
    answers = [column for column in dict.fromkeys(record.columns) if column != PROMPT]
    if len(answers) < 2:
        return [record.roles]
    pairs = list(zip(record.columns, record.roles, strict=True))
    return [tuple(role for column, role in pairs if column in (PROMPT, answer)) for answer in answers]


def rows_of(record: Record) -> list[Record]:
    """What becomes a row of tokens each: the example, or for a pair the prompt with either answer."""
    if record.layout.type != "preference":
        return [record]
    rows = []
    for answer in ("chosen", "rejected"):
        taken = [index for index, column in enumerate(record.columns) if column in (PROMPT, answer)]
        row = record._replace(
            roles=tuple(record.roles[index] for index in taken),
            contents=tuple(record.contents[index] for index in taken),
            encoded=tuple(record.encoded[index] for index in taken),
            columns=tuple(record.columns[index] for index in taken),
        )
        rows.append(row)
    return rows


def prompt_of(record: Record) -> int:
    """The number of texts that are the prompt.

    Of a conversation, they are the messages before the last assistant turn, all of them if no turn is an assistant's;
    of a pair without a column for its prompt, what both answers begin with; of a text that is learnt whole, none.
    """
    if PROMPT in record.columns:
        return record.columns.count(PROMPT)
    if record.columns:
        pairs = zip(answer_of(record, "chosen"), answer_of(record, "rejected"), strict=False)
        return next((index for index, (one, other) in enumerate(pairs) if one != other), 0)
    for index in range(len(record.roles) - 1, -1, -1):
        if record.roles[index] == "assistant":
            return index
    return len(record.roles)


def shared_text(record: Record) -> str:
    """What both texts of a pair begin with, up to a space, where it has no column for its prompt; "" for any other.

    Source: TRL 1.16, `extract_prompt`.
    """
    if record.layout.type != "preference" or record.layout.format == CONVERSATIONAL or PROMPT in record.columns:
        return ""
    one, other = record.contents
    return one[: shared(one, other)].removesuffix(" ")


def _disorder(roles: tuple[str, ...]) -> str | None:
    if roles[0] not in ("system", "user"):
        return f"the first role is {roles[0]}"
    for before, after in pairwise(roles):
        if after not in AFTER[before]:
            return f"{after} follows {before}"
    return None

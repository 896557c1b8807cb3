"""Defects of a valid conversation: the order of its turns, empty turns, and unfilled placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from hbspec.dataset.records import Record, refusals
from hbspec.diagnostics import Severity
from hbspec.manual import Page
from hbspec.manual.data import ANSWER, EMPTY, FIELD, ORDER

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

REFUSED = {"answer": ANSWER, "fields": FIELD}
"""Manual pages of the reasons why the job refuses a conversation (`refusals`); these are errors."""

Fault = tuple[Page, str, Severity]


def faults(record: Record) -> Iterator[Fault]:
    """The defects of an example, each kind once: the page, the reason (equal for similar defects), the severity."""
    roles = record.roles
    disorder = _disorder(roles)
    if disorder is not None:
        yield ORDER, disorder, ORDER.severity
    for kind, what in refusals(record):
        yield REFUSED[kind], what, Severity.ERROR
    if roles[-1] != "assistant" and "assistant" in roles:
        yield ANSWER, "turns after the last assistant turn teach nothing", ANSWER.severity
    if not all(map(str.strip, record.contents)):
        yield EMPTY, "a turn is empty", EMPTY.severity


def placeholders(record: Record) -> Iterator[str]:
    """The unfilled placeholders in order, including repeats.

    >>> from hbspec.dataset.records import Place
    >>> texts = ("By {factor1} and {{ name }}", "`{code}` ${HOME} /users/{id} {x} {1} {'a': 1}")
    >>> list(placeholders(Record(Place("-", 1), ("user", "assistant"), texts, (), ())))
    ['{factor1}', '{{ name }}']
    """
    for text in record.contents:
        if "{" in text:
            yield from _PLACEHOLDER.findall(_CODE.sub("`", text))


def prompt_of(record: Record) -> int:
    """The number of messages before the last assistant turn; all of them if no turn is an assistant's."""
    for index in range(len(record.roles) - 1, -1, -1):
        if record.roles[index] == "assistant":
            return index
    return len(record.roles)


def _disorder(roles: tuple[str, ...]) -> str | None:
    if roles[0] not in ("system", "user"):
        return f"the first role is {roles[0]}"
    for before, after in pairwise(roles):
        if after not in AFTER[before]:
            return f"{after} follows {before}"
    return None

"""What can be wrong with one conversation that is valid: its turns, and what its texts still hold."""

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
"""What may follow a turn: user and assistant alternate, tools answer an assistant, a system message comes first."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\bf(?:\"[^\"\n]*\"|'[^'\n]*')", re.S)
_PLACEHOLDER = re.compile(
    r"(?<![\w\\${}^/])(?:\{[A-Za-z][A-Za-z0-9_]{1,63}\}|\{\{ ?[A-Za-z][\w.]{0,63} ?\}\})(?![\w}])"
)
"""A name between single braces, or between double ones as Jinja and Mustache have them.

Not behind what LaTeX (`\\frac{ab}`, `x^{ij}`), shells (`${HOME}`) and paths (`/users/{id}`) put there; a single letter
is more often a set."""

REFUSED = {"answer": ANSWER, "fields": FIELD}
"""Why the job refuses a conversation, as `refusals` has it, is an error here."""

Fault = tuple[Page, str, Severity]


def faults(record: Record) -> Iterator[Fault]:
    """What is wrong, one of a kind: the defect, what it is about (the same for all that are alike), and its weight."""
    roles = record.roles
    disorder = _disorder(roles)
    if disorder is not None:
        yield ORDER, disorder, ORDER.severity
    for kind, what in refusals(record):
        yield REFUSED[kind], what, Severity.ERROR
    if roles[-1] != "assistant" and "assistant" in roles:
        yield ANSWER, "nothing is learnt of what follows the last assistant turn", ANSWER.severity
    if not all(map(str.strip, record.contents)):
        yield EMPTY, "a turn without text", EMPTY.severity


def placeholders(record: Record) -> Iterator[str]:
    """The placeholders that nothing has filled, in the order of the texts; one that is repeated comes again.

    >>> from hbspec.dataset.records import Place
    >>> texts = ("By {factor1} and {{ name }}", "`{code}` ${HOME} /users/{id} {x} {1} {'a': 1}")
    >>> list(placeholders(Record(Place("-", 1), ("user", "assistant"), texts, (), ())))
    ['{factor1}', '{{ name }}']
    """
    for text in record.contents:
        if "{" in text:
            yield from _PLACEHOLDER.findall(_CODE.sub("`", text))


def prompt_of(record: Record) -> int:
    """How many messages stand before the last assistant turn; all of them where there is none."""
    for index in range(len(record.roles) - 1, -1, -1):
        if record.roles[index] == "assistant":
            return index
    return len(record.roles)


def _disorder(roles: tuple[str, ...]) -> str | None:
    if roles[0] not in ("system", "user"):
        return f"begins with the role {roles[0]}"
    for before, after in pairwise(roles):
        if after not in AFTER[before]:
            return f"{after} follows {before}"
    return None

"""What can be wrong with one conversation that is valid: its turns, and what its texts still hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from hbspec.dataset.defects import ANSWER, EMPTY, FIELD, ORDER
from hbspec.dataset.quoting import quoted
from hbspec.dataset.records import Record
from hbspec.diagnostics import Severity
from hbspec.source.defects import Defect

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

KEYS_SHOWN = 5

Fault = tuple[Defect, str, Severity]


def faults(record: Record) -> Iterator[Fault]:
    """What is wrong, one of a kind: the defect, what it is about (the same for all that are alike), and its weight."""
    roles = record.roles
    disorder = _disorder(roles)
    if disorder is not None:
        yield ORDER, disorder, ORDER.severity
    if "assistant" not in roles:
        yield ANSWER, "no assistant turn, so nothing to learn", Severity.ERROR
    elif roles[-1] != "assistant":
        yield ANSWER, "nothing is learnt of what follows the last assistant turn", ANSWER.severity
    if not all(map(str.strip, record.contents)):
        yield EMPTY, "a turn without text", EMPTY.severity
    if record.extra:
        yield FIELD, f"messages hold {_shown(record.extra)} as well", FIELD.severity


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


def _shown(keys: tuple[str, ...]) -> str:
    first = [quoted(key) for key in keys[:KEYS_SHOWN]]
    return ", ".join([*first, "…"] if len(keys) > len(first) else first)


def _disorder(roles: tuple[str, ...]) -> str | None:
    if roles[0] not in ("system", "user"):
        return f"begins with the role {roles[0]}"
    for before, after in pairwise(roles):
        if after not in AFTER[before]:
            return f"{after} follows {before}"
    return None

"""A rule's docstring as its manual page: summary, reason, an example that raises it, one that does not, references.

```text
Summary: the defect in one sentence.

Why: what it costs, in a paragraph.

Example:

    instance: {parallelism: pipeline}

Instead:

    instance: {parallelism: ddp}

References:

    https://…
```

The two examples are YAML fragments laid over the clean spec in `tests/rules/base.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc

from hbspec.rules.rule import RuleModule

HEADINGS = ("Why", "Example", "Instead", "References")
_HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):[ \n]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One manual page; `example` and `instead` are YAML."""

    code: str
    name: str
    severity: str
    summary: str
    why: str
    example: str
    instead: str
    references: tuple[str, ...]


def page(module: RuleModule) -> Page:
    """The manual page of a rule.

    Raises:
        ValueError: a section is missing.
    """
    text = cleandoc(module.__doc__ or "")
    parts = _HEADING.split(text)
    sections = dict(zip(parts[1::2], (cleandoc(f"\n{part}") for part in parts[2::2]), strict=True))
    missing = [heading for heading in HEADINGS if not sections.get(heading)]
    if missing or not parts[0].strip():
        raise ValueError(f"{module.RULE.code}: no {', '.join(missing) or 'summary'} in its docstring")
    return Page(
        code=module.RULE.code,
        name=module.RULE.name,
        severity=module.RULE.severity.value,
        summary=" ".join(parts[0].split()),
        why=" ".join(sections["Why"].split()),
        example=sections["Example"],
        instead=sections["Instead"],
        references=tuple(sections["References"].split()),
    )

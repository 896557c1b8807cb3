"""A rule's docstring as its manual page: summary, reason, an example with the defect, one without, references.

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

The two examples are YAML fragments merged over the clean spec in `tests/rules/base.yaml`. Files are parsed, not
imported.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from inspect import cleandoc
from pathlib import Path

from hbspec.diagnostics import Severity
from hbspec.manual.page import Page

FOLDER = Path(__file__).parents[1] / "rules"
HEADINGS = ("Why", "Example", "Instead", "References")
CODE = re.compile("HB[0-9]{3}")
_HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):[ \n]", re.MULTILINE)


@cache
def stems() -> tuple[str, ...]:
    """The module names of all rules, `hbNNN_name`, ordered by code."""
    return tuple(sorted(path.stem for path in FOLDER.glob("hb*.py")))


def read(stem: str) -> Page:
    """The page of the rule in the module `stem`.

    Raises:
        ValueError: a section of its docstring is missing.
    """
    tree = ast.parse((FOLDER / f"{stem}.py").read_text(encoding="utf-8"))
    code, _, name = stem.partition("_")
    text = ast.get_docstring(tree) or ""
    parts = _HEADING.split(text)
    sections = dict(zip(parts[1::2], (cleandoc(f"\n{part}") for part in parts[2::2]), strict=True))
    missing = [heading for heading in HEADINGS if not sections.get(heading)]
    if missing or not parts[0].strip():
        raise ValueError(f"{code.upper()}: the docstring lacks {', '.join(missing) or 'a summary'}")
    return Page(
        code=code.upper(),
        name=name.replace("_", "-"),
        summary=" ".join(parts[0].split()),
        why=" ".join(sections["Why"].split()),
        example=sections["Example"],
        instead=sections["Instead"],
        severity=_severity(tree),
        references=tuple(sections["References"].split()),
        beside=_beside(tree),
    )


def _beside(tree: ast.Module) -> tuple[str, ...]:
    """The codes that a rule's source names: those of `Rule.beside` (a test compares the two)."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return tuple(sorted(set(filter(CODE.fullmatch, texts))))


def _severity(tree: ast.Module) -> Severity:
    """The severity in `RULE = Rule(__name__, Severity.WARNING)`; ERROR for a rule that names none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule":
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if isinstance(argument, ast.Attribute) and ast.unparse(argument.value) == Severity.__name__:
                    return Severity[argument.attr]
    return Severity.ERROR

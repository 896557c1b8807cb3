"""A file is one idea and a function fits on a screen: no file above 300 lines, no function body above 40."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("src", "templates", "tools") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE, LONGEST_BODY = 300, 40


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last, without the docstring."""
    statements = function.body[ast.get_docstring(function) is not None :]
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_and_its_functions_are_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert len(text.splitlines()) <= LONGEST_FILE
    assert {found.name: body_lines(found) for found in functions if body_lines(found) > LONGEST_BODY} == {}


def test_a_docstring_is_not_counted() -> None:
    (function,) = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    x = 1\n    return x\n').body
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 2


def test_a_class_has_a_name_of_its_own() -> None:
    """But for the sections of a spec, which are named as their keys."""
    named: dict[str, list[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        if file.match("spec/sections.py"):
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in named.items() if len(files) > 1} == {}

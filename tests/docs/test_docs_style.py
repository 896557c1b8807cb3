"""All texts keep to docs/style.md: its refused phrases are in no string, no docstring and no page of the manual."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hbspec.manual import Page, pages

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("src", "templates", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
PHRASES = (
    r"(?:is|are) no(?! longer)",
    r"that there (?:is|are)",
    r"of one's own",
    r"mend(?:s|ed|ing)?",
    r"truth values?",
    r"held against",
    r"handed on",
)
REFUSED = re.compile(rf"(?<![\w-])(?:{'|'.join(PHRASES)})(?![\w-])".replace(" ", r"\s+"), re.IGNORECASE)


def refused(text: str) -> list[tuple[int, str]]:
    """The refused phrases in a text, each with the number of line breaks before it."""
    return [(text.count("\n", 0, match.start()), " ".join(match[0].split())) for match in REFUSED.finditer(text)]


def refused_in(source: str) -> Iterator[tuple[int, str]]:
    """The line and the phrase of every refused phrase in the strings of a module, docstrings and f-strings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for below, phrase in refused(node.value):
                yield min(node.lineno + below, node.end_lineno or node.lineno), phrase


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_texts_of_a_module(file: Path) -> None:
    assert [f"{file.name}:{line}: {phrase}" for line, phrase in refused_in(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("page", tuple(pages()), ids=lambda page: page.code)
def test_a_page_of_the_manual(page: Page) -> None:
    assert not refused(page.summary)
    assert not refused(page.why)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""A value is no text."""', [(1, "is no")]),
        ('"""First.\n\nThese are\nno specs."""', [(3, "are no")]),
        ('x = 1\nf"{x} is no path"', [(2, "is no")]),
        ('message = f"a truth value: {x}, " "that there is"', [(1, "that there is"), (1, "truth value")]),
        ('help = "Mend the line", "a loop of one\'s own"', [(1, "Mend"), (1, "of one's own")]),
        ('"mended, held against the plan, handed on"', [(1, "mended"), (1, "held against"), (1, "handed on")]),
    ],
)
def test_a_refused_phrase_is_found(source: str, found: list[tuple[int, str]]) -> None:
    assert sorted(refused_in(source)) == sorted(found)


@pytest.mark.parametrize(
    "text", ["recommended, amend, is not a path", "this is none", "is no longer part of the target", "mend-all"]
)
def test_other_words_are_allowed(text: str) -> None:
    assert not refused(text)

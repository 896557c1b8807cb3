"""The table of defects: every example raises exactly its own code, and its counterpart loads."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hbspec.manual.text import PAGES, Page
from hbspec.source import Document, SourceError, load

CODES = sorted(PAGES)


def load_example(text: str, project: Callable[..., Path]) -> Document:
    coding = re.search(r"coding: ([\w-]+)", text)
    project({"spec.yaml": text.encode(coding[1] if coding else "utf-8"), "base.yaml": "hbspec: 1\n", ".git/HEAD": ""})
    return load("spec.yaml", overrides=re.findall(r"^# hbspec check .*--set (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("code", CODES)
def test_an_example_raises_exactly_its_code(code: str, project: Callable[..., Path]) -> None:
    with pytest.raises(SourceError) as caught:
        load_example(PAGES[code].example, project)
    assert [(fault.code, fault.name) for fault in caught.value.diagnostics] == [(code, PAGES[code].name)]
    assert not caught.value.unreadable


@pytest.mark.parametrize("code", CODES)
def test_what_stands_instead_loads(code: str, project: Callable[..., Path]) -> None:
    assert load_example(PAGES[code].instead, project).values


@pytest.mark.parametrize("defect", PAGES.values(), ids=CODES)
def test_an_entry_is_a_whole_manual_page(defect: Page) -> None:
    assert re.fullmatch(r"HB0(0[1-9]|1[0-9])", defect.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", defect.name)
    assert defect.summary.endswith(".")
    assert defect.why.endswith((".", "?"))
    assert "  " not in defect.why


def test_codes_run_without_a_gap_and_names_are_unique() -> None:
    assert [f"HB{number:03}" for number in range(1, len(CODES) + 1)] == CODES
    assert len({defect.name for defect in PAGES.values()}) == len(PAGES)

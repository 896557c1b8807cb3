"""Every rule's manual page is complete, and its two examples are tests: the first raises the rule, the second not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hbspec.api import check
from hbspec.manual import Page
from hbspec.manual.rules import read
from hbspec.rules.engine import all_rules
from hbspec.rules.rule import RuleModule

HERE = Path(__file__).parent
AS_OF = date(2026, 11, 22)


def page_of(module: RuleModule) -> Page:
    return read(module.__name__.rpartition(".")[2])


def codes(fragment: str, tmp_path: Path) -> set[str]:
    (tmp_path / "base.yaml").write_text((HERE / "base.yaml").read_text())
    (tmp_path / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    for attachment in [*HERE.glob("*.json"), HERE / "finetune.py"]:
        (tmp_path / attachment.name).write_text(attachment.read_text())
    return {diagnostic.code for diagnostic in check(tmp_path / "spec.yaml", as_of=AS_OF).diagnostics}


def test_the_base_is_clean(tmp_path):
    assert codes("", tmp_path) == set()


@pytest.mark.parametrize("module", all_rules(), ids=lambda module: module.RULE.code)
class TestPage:
    def test_example_raises_exactly_this_rule(self, module, tmp_path):
        assert codes(page_of(module).example, tmp_path) == {module.RULE.code}

    def test_instead_does_not(self, module, tmp_path):
        assert codes(page_of(module).instead, tmp_path) == set()

    def test_is_complete(self, module):
        written = page_of(module)
        assert written.summary.endswith(".")
        assert written.why.endswith(".")
        assert written.references
        assert all(reference.startswith("https://") for reference in written.references)

"""Every rule's manual page is complete, and its two examples are tests: the first raises the rule, the second not."""

from __future__ import annotations

import pytest
from judged import codes

from hbspec.manual import Page
from hbspec.manual.rules import read
from hbspec.rules.engine import all_rules
from hbspec.rules.rule import RuleModule


def page_of(module: RuleModule) -> Page:
    return read(module.__name__.rpartition(".")[2])


def test_the_base_is_clean(tmp_path):
    assert codes("", tmp_path) == set()


@pytest.mark.parametrize("module", all_rules(), ids=lambda module: module.RULE.code)
class TestPage:
    def test_example_raises_exactly_this_rule(self, module, tmp_path):
        assert codes(page_of(module).example, tmp_path) == {module.RULE.code}

    @pytest.mark.one_in(3)
    def test_instead_does_not(self, module, tmp_path):
        assert codes(page_of(module).instead, tmp_path) == set()

    def test_is_complete(self, module):
        written = page_of(module)
        assert written.summary.endswith(".")
        assert written.why.endswith(".")
        assert written.references
        assert all(reference.startswith("https://") for reference in written.references)

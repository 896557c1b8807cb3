"""The tests mirror the rules: one file each, in which the rule's edge is tested from both sides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hbspec import rules

HERE = Path(__file__).parent
RULES = {path.stem for path in Path(rules.__path__[0]).glob("hb[0-9]*_*.py")}
TESTED = {path.stem.removeprefix("test_") for path in HERE.glob("test_hb[0-9]*_*.py")}


def test_every_rule_has_its_test_file_and_every_test_file_its_rule():
    assert TESTED == RULES


@pytest.mark.parametrize("name", sorted(RULES & TESTED))
def test_the_edge_of_every_rule_is_tested_or_a_reason_is_given(name):
    """A rule that no single key leads into says why, as `NO_EDGE = "…"`."""
    text, code = (HERE / f"test_{name}.py").read_text(), name.partition("_")[0].upper()
    assert re.search(rf'\bedge\(\s*"{code}",', text) or re.search(r'^NO_EDGE = \(?\s*"', text, re.MULTILINE)

"""Mistakes that cost days, planted in good specs: each is one finding, at the key that is wrong.

The lists beside this file say the mistake, its base in `tests/cases/good`, the overrides that plant it, and the routes
at which it may be reported. `benchmarks/planted.py tests/planted --good tests/cases/good` prints the same as a table.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml

from benchmarks.planted import ELSEWHERE, FOUND, MISSED, at_or_below, outcome, read

HERE = Path(__file__).parent
AS_OF = date(2026, 11, 24)
CASES = {case.name: case for case in read(HERE, HERE.parent / "cases" / "good")}


def test_each_mistake_has_a_name_of_its_own():
    counted = Counter(case.name for case in read(HERE, HERE.parent / "cases" / "good"))
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("name", CASES)
def test_one_mistake_is_one_finding_where_it_is(name):
    result = outcome(CASES[name], AS_OF)
    assert (result.verdict, result.second) == (FOUND, 0), [str(entry) for entry in result.said]


def test_what_is_missed_or_elsewhere_is_told_apart(tmp_path):
    typo = "hyperparameters.lr_scheduler_type=nope"
    planted = [
        {"name": "silent", "set": ["name=other"], "expect": "name"},
        {"name": "elsewhere", "set": [typo], "expect": "hyperparameters.learning_rate"},
        {"name": "at", "set": [typo], "expect": ["budget", "hyperparameters"]},
    ]
    text = yaml.safe_dump({"cases": [{"planted": "x", "base": "B"} | case for case in planted]})
    (tmp_path / "list.yaml").write_text(text)
    found = [outcome(case, AS_OF).verdict for case in read(tmp_path, HERE.parent / "cases" / "good")]
    assert found == [MISSED, ELSEWHERE, FOUND]


def test_a_route_is_compared_by_its_keys():
    assert at_or_below("instance.alternatives.0", "instance.alternatives")
    assert not at_or_below("instance.alternatives", "instance.alt")

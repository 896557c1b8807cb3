"""What an estimate says of a task beyond the next token."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hbspec.render.estimates import plan_rows

sys.path.insert(0, str(Path(__file__).parents[1] / "estimators"))
from planned import FULL, QLORA, planned


@pytest.mark.parametrize(
    ("task", "method", "early", "said"),
    [
        ("dpo", QLORA, False, "each example is two rows, reference: adapters switched off"),
        ("dpo", FULL, True, "each example is two rows, reference: computed before the steps"),
        ("kto", FULL, False, "reference: a second model"),
        ("reward", QLORA, False, "each example is two rows"),
        ("sft", QLORA, False, None),
    ],
)
def test_rows_and_reference(task, method, early, said):
    more = {"precompute_ref_log_probs": True} if early else {}
    rows = {row[0]: row for row in plan_rows(planned(method=method, sections={"task": task}, **more))}
    assert rows.get("task") == (None if said is None else ("task", task, said))

"""HB636: scores that let all pass, or none."""

from __future__ import annotations

import pytest
from judged import edge, judged

SUITE = "evaluation: [{suite: %s, min_score: %s}]"


def test_the_edge_is_zero(tmp_path):
    edge("HB636", SUITE % ("tool-usage", 0.5), "evaluation[0].min_score", 0.01, 0, tmp_path)


def test_the_edge_is_one(tmp_path):
    many = "evaluation: [{suite: tool-usage, min_score: 0.5, items: 100000}]"
    edge("HB636", many, "evaluation[0].min_score", 0.999, 1.0, tmp_path)


@pytest.mark.parametrize("name", ["json-validity", "Output-Format", "schema", "safety", "parses", "regression"])
def test_a_suite_that_a_program_decides_may_ask_for_all(name, tmp_path):
    assert judged("HB636", SUITE % (name, 1), tmp_path) == []
    assert len(judged("HB636", SUITE % (name, 0), tmp_path)) == 1

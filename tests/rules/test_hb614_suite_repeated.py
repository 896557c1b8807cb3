"""HB614: suites with the same name."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_the_name(tmp_path):
    suites = "evaluation: [{suite: tools, min_score: 0.9}, {suite: reasoning, min_score: 0.8}]"
    edge("HB614", suites, "evaluation[1].suite", "Tools", "tools", tmp_path)


def test_every_suite_but_the_first_is_reported(tmp_path):
    suites = ", ".join("{suite: a, min_score: 0.5}" for _ in range(3))
    found = judged("HB614", f"evaluation: [{suites}]", tmp_path)
    assert [diagnostic.route[1] for diagnostic in found] == [1, 2]

"""HB651: tags that differ in case only."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_a_letter(tmp_path):
    edge("HB651", "", "sagemaker.tags", {"team": "a", "Teams": "b"}, {"team": "a", "Team": "b"}, tmp_path)


def test_the_second_is_named(tmp_path):
    (found,) = judged("HB651", "sagemaker: {tags: {team: a, x: b, TEAM: c}}", tmp_path)
    assert (found.route[-1], found.severity) == ("TEAM", "warning")

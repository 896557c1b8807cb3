"""HB637: suites that cannot pass."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

SUITE = "evaluation: [{suite: tool-usage, min_score: %s, items: %s}]"


@pytest.mark.parametrize(("least", "fewest"), [(0.5, 6), (0.8, 17), (0.9, 36), (0.95, 72)])
def test_the_edge_is_the_number_of_items(least, fewest, tmp_path):
    """0.025 ** (1 / n) >= min_score."""
    edge("HB637", SUITE % (least, 100), "evaluation[0].items", fewest, fewest - 1, tmp_path)


def test_the_edge_is_the_score(tmp_path):
    """0.025 ** (1 / 200) is 0.98172…"""
    edge("HB637", "evaluation: [{suite: a, min_score: 0.5}]", "evaluation[0].min_score", 0.9817, 0.9818, tmp_path)


def test_the_message_says_how_many_would_do(tmp_path):
    (found,) = judged("HB637", SUITE % (0.9, 20), tmp_path)
    assert found.message == (
        "tool-usage asks 20 items: if all answers are right, its score is still only shown to be above 0.832, but "
        "min_score is 0.9"
    )
    assert found.help == "set items to at least 36"


def test_no_number_of_items_shows_a_score_of_one(tmp_path):
    decided = "evaluation: [{suite: valid-json, data: ./cases, min_score: 1, items: 100000}]"
    (found,) = judged("HB637", decided, tmp_path)
    assert found.help == "set min_score below 1"


def test_a_score_of_one_is_one_finding(tmp_path):
    """HB636 says that no model reaches it."""
    assert judged("HB637", SUITE % (1, 100000), tmp_path) == []
    (found,) = judged("HB636", SUITE % (1, 100000), tmp_path)
    assert [code for code, _ in found.also] == ["HB637"]


def test_no_suites_are_not_too_small(tmp_path):
    assert "HB637" not in codes("evaluation: []", tmp_path)

"""HB536: requests of suites that the endpoint's window does not hold."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec import suites
from hbspec.plan.suites import FROM_VALIDATION, GENERATED, LM_EVAL

SUITES = "evaluation: [{suite: reasoning-quality, min_score: 0.8}, {suite: response-consistency, min_score: 0.8}]"


def test_the_edge_is_the_longest_request(tmp_path):
    edge("HB536", SUITES, "deployment.max_model_len", 3072 + 234, 3072 + 233, tmp_path)


def test_the_message_names_the_suite_and_both_numbers(tmp_path):
    (found,) = judged("HB536", f"deployment: {{max_model_len: 2048}}\n{SUITES}", tmp_path)
    assert found.message == (
        "reasoning-quality asks for answers of up to 3,072 tokens after prompts of up to about 234, but max_model_len "
        "is 2,048"
    )


@pytest.mark.parametrize("suite", ["suite: tool-usage", "suite: reasoning-quality, data: ./base.yaml"])
def test_the_author_s_own_cases_are_not_known(suite, tmp_path):
    assert (
        judged("HB536", f"deployment: {{max_model_len: 2048}}\nevaluation: [{{{suite}, min_score: 0.5}}]", tmp_path)
        == []
    )


def test_the_suites_are_those_of_the_job_and_none_of_their_requests_is_longer():
    assert tuple(GENERATED) == tuple(suites.GENERATED)
    assert FROM_VALIDATION == suites.FROM_DATA
    assert LM_EVAL == suites.LM_EVAL
    for name, longest in GENERATED.items():
        items = [item for seed in (0, 1) for item in suites.suite(name).items(seed, 240)]
        assert max(item.max_tokens for item in items) == longest.answer
        characters = max(sum(len(message["content"]) for message in item.messages) for item in items)
        assert 0.9 * longest.characters < characters <= longest.characters

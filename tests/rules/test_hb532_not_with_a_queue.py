"""HB532: what an asynchronous endpoint cannot have beside its queue."""

from __future__ import annotations

import pytest
from judged import edge, judged

TEST = "ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}"
QUEUE = "async_inference: {output: 's3://bucket/answers/'}"


def test_the_edge_is_the_test(tmp_path):
    queue = {"output": "s3://bucket/answers/"}
    edge("HB532", f"deployment: {{{TEST}}}", "deployment.async_inference", None, queue, tmp_path)


@pytest.mark.parametrize(("more", "said"), [("", "keeps its own way"), ("shadow: true, ", "refuses a shadow")])
def test_a_test_is_an_error_that_says_why(more, said, tmp_path):
    (found,) = judged("HB532", f"deployment: {{{TEST.replace('baseline', f'{more}baseline')}, {QUEUE}}}", tmp_path)
    assert (found.severity, found.route) == ("error", ("deployment", "async_inference"))
    assert said in found.message


def test_captured_requests_are_a_warning(tmp_path):
    (found,) = judged("HB532", f"deployment: {{data_capture: {{uri: 's3://bucket/copies/'}}, {QUEUE}}}", tmp_path)
    assert (found.severity, found.route) == ("warning", ("deployment", "data_capture"))
    assert judged("HB532", "deployment: {data_capture: {uri: 's3://bucket/copies/'}}", tmp_path) == []

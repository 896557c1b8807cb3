"""HB653: baselines of A/B tests. The name of `base.yaml` is base."""

from __future__ import annotations

import pytest
from judged import edge, judged

TEST = "deployment: {ab_test: {baseline: %s, served_model_name: a, candidate_weight: 0.1}}\n%s"


def test_the_edge_is_the_name(tmp_path):
    edge("HB653", TEST % ("today", ""), "deployment.ab_test.baseline", "base-v1", "base", tmp_path)


@pytest.mark.parametrize(
    ("baseline", "rest", "found"),
    [
        ("base", "", True),
        ("base", "sagemaker: {job_name: other}", True),
        ("other", "sagemaker: {job_name: other}", True),
        ("DeepSeek-R1-Distill-Qwen-32B", "", False),  # the model before fine-tuning is what to compare with
        ("BASE", "", False),
    ],
)
def test_baselines(baseline, rest, found, tmp_path):
    said = judged("HB653", TEST % (baseline, rest), tmp_path)
    assert [entry.severity for entry in said] == (["warning"] if found else [])

"""HB645: jobs that may not ask the Hub for the model that they read from it."""

from __future__ import annotations

import pytest
from judged import edge, judged

OFF = "sagemaker: {environment: {HF_HUB_OFFLINE: '1'%s}%s}\n%s"


def test_the_edge_is_the_switch(tmp_path):
    edge("HB645", "", "sagemaker.environment", {"HF_HUB_OFFLINE": "0"}, {"HF_HUB_OFFLINE": "1"}, tmp_path)


@pytest.mark.parametrize(
    ("variables", "account", "rest", "severity"),
    [
        ("", "", "", "error"),
        (", TRANSFORMERS_OFFLINE: 'true'", "", "", "error"),
        ("", "", "script: {entry_point: base.yaml}", "warning"),
        ("", "", "model: {source: 's3://bucket/model/'}", None),
        (", HF_HOME: /opt/ml/input/data/train", "", "", None),
        ("", ", image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:7", "", None),
        ("", "", "instance: {type: null, gpu: A100-40, gpus: 8}", None),
    ],
)
def test_jobs(variables, account, rest, severity, tmp_path):
    found = judged("HB645", OFF % (variables, account, rest), tmp_path)
    assert [entry.severity for entry in found] == ([severity] if severity else [])


@pytest.mark.parametrize(("value", "count"), [("YES", 1), ("on", 1), ("True", 1), ("", 0), ("false", 0), ("no", 0)])
def test_values(value, count, tmp_path):
    found = judged("HB645", f"sagemaker: {{environment: {{TRANSFORMERS_OFFLINE: '{value}'}}}}", tmp_path)
    assert len(found) == count

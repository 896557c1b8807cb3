"""HB643: characters that SageMaker refuses."""

from __future__ import annotations

import json

import pytest
from judged import edge, judged


def test_the_edge_is_the_dash_of_a_variable(tmp_path):
    edge("HB643", "", "sagemaker.environment", {"MY_KEY": "1"}, {"MY-KEY": "1"}, tmp_path)


SCRIPT = {"entry_point": "base.yaml"}
QUEUE = {"output": "s3://bucket/answers/"}
SNS = "arn:aws:sns:us-east-1:111122223333:failed"
ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"


@pytest.mark.parametrize(
    ("section", "values", "route"),
    [
        ("sagemaker", {"environment": {"_A1": "any thing # at all"}}, None),
        ("sagemaker", {"environment": {"1A": ""}}, "sagemaker.environment.1A"),
        ("sagemaker", {"environment": {"A B": ""}}, "sagemaker.environment.A B"),
        ("sagemaker", {"secrets": {"HF-TOKEN": ARN}}, "sagemaker.secrets.HF-TOKEN"),
        ("sagemaker", {"tags": {"team:cost/center": "a+b=c @ d_e.f-g"}}, None),
        ("sagemaker", {"tags": {"Größe": "日本"}}, None),
        ("sagemaker", {"tags": {"a#b": "c"}}, "sagemaker.tags.a#b"),
        ("sagemaker", {"tags": {"a": "b, c"}}, "sagemaker.tags.a"),
        ("sagemaker", {"tags": {"aws:team": "a"}}, "sagemaker.tags.aws:team"),
        ("sagemaker", {"tags": {"AWS:team": "a"}}, "sagemaker.tags.AWS:team"),
        ("sagemaker", {"tags": {"hbspec:job": "a"}}, "sagemaker.tags.hbspec:job"),
        ("sagemaker", {"tags": {"Hbspec:team": "a"}}, "sagemaker.tags.Hbspec:team"),
        ("sagemaker", {"tags": {"hbspec": "a"}}, None),
        ("sagemaker", {"tags": {"aws": "a", "awsome:x": "b", "a": "aws:b"}}, None),
        ("sagemaker", {"kms_key": "alias/my-key_1"}, None),
        ("sagemaker", {"kms_key": "alias/my.key"}, "sagemaker.kms_key"),
        ("script", SCRIPT | {"hyperparameters": {"my-rate": 1}}, None),
        (
            "script",
            SCRIPT | {"reads": "environment", "hyperparameters": {"my-rate": 1}},
            "script.hyperparameters.my-rate",
        ),
        ("script", SCRIPT | {"hyperparameters": {"prompt": "a\nb"}}, "script.hyperparameters.prompt"),
        (
            "deployment",
            {"async_inference": QUEUE | {"error_topic": "failed"}},
            "deployment.async_inference.error_topic",
        ),
        ("deployment", {"async_inference": QUEUE | {"error_topic": SNS}}, None),
        ("monitoring", {"metrics": [{"name": "a\nb", "regex": " loss=([0-9.]+)"}]}, "monitoring.metrics.0.name"),
        ("monitoring", {"metrics": [{"name": "a", "regex": r" loss=([0-9.]+)\n"}]}, None),
    ],
)
def test_sections(section, values, route, tmp_path):
    found = judged("HB643", json.dumps({section: values})[1:-1], tmp_path)
    assert [".".join(map(str, entry.route)) for entry in found] == ([route] if route else [])
    assert all(entry.severity == "error" for entry in found)

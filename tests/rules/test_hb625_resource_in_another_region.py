"""HB625: regions in ARNs and registries. `base.yaml` trains and serves in us-east-1."""

from __future__ import annotations

import pytest
from judged import edge, judged

KEY = "arn:aws:kms:%s:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
IMAGE = "111122223333.dkr.ecr.%s.amazonaws.com/vllm:0.27.1-mine-cu130"


def test_the_edge_is_the_region_of_a_key(tmp_path):
    edge("HB625", "", "sagemaker.kms_key", KEY % "us-east-1", KEY % "us-east-2", tmp_path)


@pytest.mark.parametrize(
    ("fragment", "routes"),
    [
        (f"sagemaker: {{image: '{IMAGE % 'us-west-2'}'}}", ["sagemaker.image"]),
        (f"sagemaker: {{image: '{IMAGE % 'us-east-1'}'}}", []),
        ("sagemaker: {image: acme/trainer:7}", []),
        (f"sagemaker: {{serving_image: '{IMAGE % 'us-west-2'}'}}", ["sagemaker.serving_image"]),
        (f"sagemaker: {{serving_image: '{IMAGE % 'us-west-2'}'}}\ndeployment: {{region: us-west-2}}", []),
        ("sagemaker: {kms_key: alias/mine}", []),
        ("sagemaker: {kms_key: 1234abcd-12ab-34cd-56ef-1234567890ab}", []),
        ('data: {train: {uri: "s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/a/train/"}}', ["data.train.uri"]),
        ('data: {train: {uri: "s3://arn:aws:s3:us-east-1:111122223333:accesspoint/a/train/"}}', []),
        (f"sagemaker: {{kms_key: '{KEY % 'eu-west-1'}'}}\ninstance: {{region: null}}\ndeployment: null", []),
    ],
)
def test_regions(fragment, routes, tmp_path):
    found = judged("HB625", fragment, tmp_path)
    assert [".".join(map(str, entry.route)) for entry in found] == routes
    assert all(entry.severity == "error" for entry in found)


def test_topics_are_in_the_region_of_the_endpoint(tmp_path):
    topic = "arn:aws:sns:eu-west-1:111122223333:answers"
    queue = f'deployment: {{async_inference: {{output: "s3://bucket/answers/", success_topic: "{topic}"}}}}'
    (found,) = judged("HB625", queue, tmp_path)
    assert (found.route[-1], "eu-west-1" in found.message) == ("success_topic", True)

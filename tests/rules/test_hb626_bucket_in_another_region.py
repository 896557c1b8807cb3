"""HB626: buckets whose names say a region. `base.yaml` trains in us-east-1."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_region(tmp_path):
    own, other = (f"s3://sagemaker-{region}-111122223333/train/" for region in ("us-east-1", "us-east-2"))
    edge("HB626", "", "data.train.uri", own, other, tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme-eu-central-1-data", True),
        ("eu-west-1.acme", True),
        ("data-us-gov-west-1", True),
        ("acme-us-east-1", False),
        ("acme-us-east-1-to-eu-west-1", False),
        ("focus-west-1", False),
        ("eu-west-12", False),
        ("acme-west", False),
        ("europe", False),
    ],
)
def test_names(name, found, tmp_path):
    said = judged("HB626", f'sagemaker: {{output: "s3://{name}/models/"}}', tmp_path)
    assert [(entry.severity, entry.confidence) for entry in said] == ([("warning", "likely")] if found else [])


def test_a_bucket_is_said_once_and_what_the_endpoint_writes_is_not(tmp_path):
    fragment = (
        'data: {train: {uri: "s3://a-eu-west-1/t/"}, validation: {uri: "s3://a-eu-west-1/v/"}}\n'
        'deployment: {data_capture: {uri: "s3://b-eu-west-1/c/"}}'
    )
    assert [entry.route for entry in judged("HB626", fragment, tmp_path)] == [("data", "train", "uri")]


@pytest.mark.parametrize("fragment", ["instance: {region: null}", "instance: {type: null, gpu: A100-40, gpus: 8}"])
def test_without_a_region_nothing_is_compared(fragment, tmp_path):
    assert judged("HB626", f'sagemaker: {{output: "s3://a-eu-west-1/m/"}}\n{fragment}', tmp_path) == []

"""HB628: wildcards in S3 URIs."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_edge(tmp_path):
    edge("HB628", "", "data.train.uri", "s3://bucket/train/", "s3://bucket/train/*.jsonl", tmp_path)


@pytest.mark.parametrize(
    "uri", ["s3://bucket/t/part-?.jsonl", "s3://bucket/t/{a,b}/", "s3://bucket/*/x", "s3://bucket/t/[ab]"]
)
def test_each_wildcard_and_what_to_name(uri, tmp_path):
    (found,) = judged("HB628", f'data: {{train: {{uri: "{uri}"}}}}', tmp_path)
    assert found.help in ("name the prefix: s3://bucket/t/", "name the prefix: s3://bucket/")


def test_results_too(tmp_path):
    (found,) = judged("HB628", 'sagemaker: {output: "s3://bucket/models-*/"}', tmp_path)
    assert found.message == "sagemaker.output holds '*', but S3 does not expand wildcards: it is a part of the key"

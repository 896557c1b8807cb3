"""HB604: addresses of the job in S3."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_1024_characters(tmp_path):
    within, beyond = (f"s3://bucket/{'x' * length}" for length in (1012, 1013))
    edge("HB604", "", "data.train.uri", within, beyond, tmp_path)


def test_the_edge_is_a_bucket(tmp_path):
    edge("HB604", "", "sagemaker.output", "s3://bucket/key", "s3:///key", tmp_path)


@pytest.mark.parametrize(
    ("uri", "count"),
    [
        ("s3://bucket", 0),
        ("s3://bucket/a b/ü.jsonl", 0),
        ("s3:///key", 1),
        ("S3://bucket/key", 1),
        ("https://bucket.s3.amazonaws.com/key", 1),
    ],
)
def test_forms(tmp_path, uri, count):
    assert len(judged("HB604", f'data: {{train: {{uri: "{uri}"}}}}', tmp_path)) == count


def test_a_machine_described_by_hand_reads_a_path(tmp_path):
    local = "data: {train: {uri: ./train.jsonl}}\ninstance: {type: null, gpu: A100-40, gpus: 8}"
    assert judged("HB604", local, tmp_path) == []

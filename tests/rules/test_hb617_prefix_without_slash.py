"""HB617: a channel's URI without its slash. `base.yaml` reads s3://bucket/train/ and s3://bucket/validation/."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_slash(tmp_path):
    edge("HB617", "", "data.train.uri", "s3://bucket/tr/", "s3://bucket/tr", tmp_path)


@pytest.mark.parametrize(
    ("uri", "warns"),
    [
        ("s3://bucket/sft/tr", True),
        ("s3://bucket/tr.v2/part", True),
        ("s3://bucket/v1.2", True),
        ("s3://bucket/tr.jsonl", False),
        ("s3://bucket/tr/part-0.jsonl.gz", False),
        ("s3://bucket", False),
        ("s3://bucket/", False),
        ("s3://bucket//", False),
        ("s3://arn:aws:s3:us-east-1:123456789012:accesspoint/data", False),
        ("s3://arn:aws:s3:us-east-1:123456789012:accesspoint/data/tr", True),
        ("./tr", False),  # HB604
    ],
)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_what_a_prefix_is(uri, warns, split, tmp_path):
    found = judged("HB617", f'data: {{{split}: {{uri: "{uri}"}}}}', tmp_path)
    assert [".".join(finding.route) for finding in found] == ([f"data.{split}.uri"] if warns else [])


def test_an_error_explains_it(tmp_path):
    fragment = 'data: {train: {uri: "s3://bucket/mod"}}'
    assert not judged("HB617", fragment, tmp_path)
    assert judged("HB615", fragment, tmp_path)

"""HB615: what the job writes and what it reads. `base.yaml` reads s3://bucket/train/ and s3://bucket/validation/."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_beginning_of_the_key(tmp_path):
    edge(
        "HB615",
        "",
        "sagemaker.checkpoints",
        "s3://bucket/train-checkpoints/",
        "s3://bucket/train/checkpoints/",
        tmp_path,
    )


def test_the_edge_is_the_slash_of_the_data(tmp_path):
    written = 'sagemaker: {checkpoints: "s3://bucket/train-checkpoints/"}'
    edge("HB615", written, "data.train.uri", "s3://bucket/train/", "s3://bucket/train", tmp_path)


POINT = "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/models"


@pytest.mark.parametrize(
    ("fragment", "keys"),
    [
        ('sagemaker: {code: "s3://bucket/train/"}', ["sagemaker.code"]),
        ('sagemaker: {code: "s3://bucket/train"}', ["sagemaker.code"]),
        ('sagemaker: {code: "s3://bucket/train/code/"}', ["sagemaker.code"]),
        ('sagemaker: {output: "s3://bucket/validation/models"}', ["sagemaker.output"]),
        ('sagemaker: {checkpoints: "s3://bucket/train//"}', ["sagemaker.checkpoints"]),
        ('data: {train: {uri: "s3://bucket/code/train.jsonl"}}', ["sagemaker.code"]),
        # a channel reads all keys that begin with its address
        ('data: {train: {uri: "s3://bucket/mod"}}', ["sagemaker.output"]),
        ('data: {train: {uri: "s3://bucket/c"}}', ["data.train.uri"]),
        ('data: {train: {uri: "s3://bucket"}}', ["data.train.uri"]),
        ('data: {train: {uri: "s3://bucket/"}, validation: {uri: "s3://bucket/"}}', ["data.train.uri"]),
        # a folder of another name, another case, another bucket
        ('sagemaker: {code: "s3://bucket/train-code/"}', []),
        ('sagemaker: {code: "s3://bucket/Train/"}', []),
        ('sagemaker: {code: "s3://bucket/x/../train/"}', []),
        ('sagemaker: {code: "s3://bucket//train/"}', []),
        ('sagemaker: {code: "s3://bucket2/train/"}', []),
        ('data: {train: {uri: "s3://data"}}\nsagemaker: {output: "s3://data-models/x/"}', []),
        ('data: {train: {uri: "s3://data"}}\nsagemaker: {output: "s3://data/x/"}', ["sagemaker.output"]),
        # an access point is a whole bucket
        (f'sagemaker: {{checkpoints: "{POINT}/"}}', ["sagemaker.checkpoints"]),
        (f'sagemaker: {{checkpoints: "{POINT}/jobs/"}}', []),
        ('data: {train: {uri: "s3://bucket/code-data/"}}', []),
        # the job has a folder of its own below each
        ("sagemaker: {code: null, checkpoints: null}", []),
        ('sagemaker: {code: "s3://bucket/models/", checkpoints: "s3://bucket/models/"}', []),
        # a whole bucket
        ('sagemaker: {code: "s3://other"}', ["sagemaker.code"]),
        ('sagemaker: {checkpoints: "s3://other/"}', ["sagemaker.checkpoints"]),
        ('sagemaker: {output: "s3://bucket//"}', ["sagemaker.output"]),
        # said elsewhere
        ('sagemaker: {code: "s3:///"}', []),
        ('data: {train: {uri: "./train"}}', []),
    ],
)
def test_what_is_written_and_what_is_read(tmp_path, fragment, keys):
    found = judged("HB615", fragment, tmp_path)
    assert [".".join(map(str, diagnostic.route)) for diagnostic in found] == keys
    assert all(diagnostic.severity == "error" for diagnostic in found)


def test_data_inside_what_is_written_is_named_at_once(tmp_path):
    data = 'data: {train: {uri: "s3://bucket/models/a/"}, validation: {uri: "s3://bucket/models/b/"}}'
    (found,) = judged("HB615", data, tmp_path)
    assert found.route == ("sagemaker", "output")
    assert "data.train.uri and data.validation.uri" in found.message

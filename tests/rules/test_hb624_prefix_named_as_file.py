"""HB624: prefixes with the suffix of a file."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_suffix(tmp_path):
    edge("HB624", "", "sagemaker.output", "s3://bucket/models/v1.2/", "s3://bucket/models/model.tar.gz/", tmp_path)


@pytest.mark.parametrize(
    ("fragment", "keys"),
    [
        ('sagemaker: {output: "s3://bucket/models/model.tar.gz"}', ["output"]),
        ('sagemaker: {code: "s3://bucket/code/sourcedir.tar.gz"}', ["code"]),
        ('sagemaker: {checkpoints: "s3://bucket/ck/last.ckpt"}', ["checkpoints"]),
        ('deployment: {data_capture: {uri: "s3://bucket/capture/all.jsonl"}}', ["uri"]),
        ('sagemaker: {output: "s3://bucket/qwen2.5-7b"}', []),
        ('sagemaker: {output: "s3://bucket/models.merged/"}', []),
        ('sagemaker: {output: "s3://models.zip/"}', []),
    ],
)
def test_prefixes(fragment, keys, tmp_path):
    found = judged("HB624", fragment, tmp_path)
    assert [entry.route[-1] for entry in found] == keys
    assert all(entry.severity == "warning" for entry in found)


def test_the_folder_is_offered(tmp_path):
    (found,) = judged("HB624", 'sagemaker: {output: "s3://bucket/models/model.tar.gz"}', tmp_path)
    assert found.fixes[0].value == "s3://bucket/models/"

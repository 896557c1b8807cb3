"""HB623: files that the shipped script does not read."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_suffix(tmp_path):
    edge("HB623", "", "data.train.uri", "s3://bucket/train/a.jsonl", "s3://bucket/train/a.tsv", tmp_path)


@pytest.mark.parametrize(
    ("last", "severity"),
    [
        ("a.jsonl", None),
        ("A.JSONL", None),
        ("a.jsonl.gz", None),
        ("a.jsonl.zst", None),
        ("v1.2/", None),
        ("a.messages/", None),
        ("part-", None),
        ("v1.2", None),
        ("a.json", None),
        ("a.csv.gz", None),
        ("a.parquet", None),
        ("a.parquet.gz", "error"),
        ("a.arrow", "error"),
        ("a.tar.gz", "error"),
        ("a.jsonl.zip", "error"),
        ("a.txt", "error"),
        ("a.jsonl/", "warning"),
    ],
)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_suffixes(split, last, severity, tmp_path):
    found = judged("HB623", f'data: {{{split}: {{uri: "s3://bucket/{split}/{last}"}}}}', tmp_path)
    assert [(entry.severity, entry.route) for entry in found] == (
        [(severity, ("data", split, "uri"))] if severity else []
    )


@pytest.mark.parametrize("own", ["script: {entry_point: base.yaml}", "instance: {type: null, gpu: A100-40, gpus: 8}"])
def test_what_your_own_script_or_machine_reads_is_not_known(own, tmp_path):
    assert judged("HB623", f'data: {{train: {{uri: "s3://bucket/train/a.tsv"}}}}\n{own}', tmp_path) == []


def test_a_bucket_is_not_a_file(tmp_path):
    assert judged("HB623", 'data: {train: {uri: "s3://acme.zip"}}', tmp_path) == []

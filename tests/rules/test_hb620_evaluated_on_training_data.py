"""HB620: what is evaluated is trained on. `base.yaml` reads s3://bucket/train/ and s3://bucket/validation/."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_slash_of_the_training_data(tmp_path):
    edge("HB620", "", "data.validation.uri", "s3://bucket/train-validation/", "s3://bucket/train/validation/", tmp_path)


SUITE = 'evaluation: [{suite: a, min_score: 0.9, data: "%s"}]'


@pytest.mark.parametrize(
    ("fragment", "keys"),
    [
        ('data: {validation: {uri: "s3://bucket/train/"}}', ["data.validation.uri"]),
        ('data: {validation: {uri: "s3://bucket/train"}}', ["data.validation.uri"]),
        ('data: {validation: {uri: "s3://bucket/train/a.jsonl"}}', ["data.validation.uri"]),
        (
            'data: {train: {uri: "s3://bucket/data/train/"}, validation: {uri: "s3://bucket/data"}}',
            ["data.validation.uri"],
        ),
        (
            'data: {train: {uri: "s3://bucket/t.jsonl"}, validation: {uri: "s3://bucket/t.jsonl"}}',
            ["data.validation.uri"],
        ),
        (SUITE % "s3://bucket/train/suite.jsonl", ["evaluation.0.data"]),
        (SUITE % "s3://bucket/validation/", []),
        (SUITE % "s3://bucket/suites/a.jsonl", []),
        (SUITE % "./spec.yaml", []),
        ('data: {validation: {uri: "s3://bucket/Train/"}}', []),
        ('data: {validation: {uri: "s3://other/train/"}}', []),
        ('data: {train: {uri: "s3://bucket/a/train/"}, validation: {uri: "s3://bucket/a/validation/"}}', []),
        ('data: {train: {uri: "s3://bucket/t.jsonl"}, validation: {uri: "s3://bucket/v.jsonl"}}', []),
        ("data: {validation: {uri: null}}", []),
        ("data: {train: {uri: null}}", []),
    ],
)
def test_evaluated_and_trained_on(tmp_path, fragment, keys):
    found = judged("HB620", fragment, tmp_path)
    assert [".".join(map(str, diagnostic.route)) for diagnostic in found] == keys
    assert all(diagnostic.severity == "warning" for diagnostic in found)


def test_what_a_whole_bucket_reads_is_said_once(tmp_path):
    assert judged("HB620", 'data: {train: {uri: "s3://bucket"}}', tmp_path) == []

"""HB627: the copy of the model and the data. `base.yaml` reads s3://bucket/train/ and s3://bucket/validation/."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_slash_of_the_data(tmp_path):
    edge("HB627", "", "model.source", "s3://bucket/train-model/", "s3://bucket/train/model/", tmp_path)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("s3://bucket/train", True),
        ("s3://bucket/validation/qwen", True),
        ("s3://bucket/models/qwen", False),
        ("s3://other/train/", False),
    ],
)
def test_places(source, found, tmp_path):
    said = judged("HB627", f'model: {{source: "{source}"}}', tmp_path)
    assert [(entry.severity, entry.route) for entry in said] == ([("warning", ("model", "source"))] if found else [])


def test_data_below_the_copy_are_not_read_twice(tmp_path):
    fragment = 'model: {source: "s3://bucket/m/"}\ndata: {train: {uri: "s3://bucket/m/data/"}}'
    assert judged("HB627", fragment, tmp_path) == []

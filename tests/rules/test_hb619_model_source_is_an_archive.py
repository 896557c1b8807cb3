"""HB619: archives in place of the model's files."""

from __future__ import annotations

import pytest
from judged import codes, edge


def test_edge(tmp_path):
    edge("HB619", "", "model.source", "s3://bucket/model/", "s3://bucket/model.tar.gz", tmp_path)
    edge("HB619", "", "model.adapter", "s3://bucket/job/checkpoint-3/", "s3://bucket/job/model.tar.gz", tmp_path)


@pytest.mark.parametrize(
    ("source", "told"), [("s3://b/m.ZIP", True), ("s3://b/m.tgz/", True), ("s3://b/m.tar.d", False)]
)
def test_the_last_part_decides(source, told, tmp_path):
    assert ("HB619" in codes(f'model: {{source: "{source}"}}', tmp_path)) == told

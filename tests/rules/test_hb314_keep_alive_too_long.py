"""HB314: SageMaker's limit on `keep_alive`."""

from __future__ import annotations

from judged import edge


def test_the_edge_is_six_hours(tmp_path):
    edge("HB314", "", "instance.keep_alive", "6h", "6h1s", tmp_path)

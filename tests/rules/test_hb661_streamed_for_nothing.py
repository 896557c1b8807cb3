"""HB661: data that are streamed though the script reads all of them before it trains."""

from __future__ import annotations

import pytest
from judged import edge, judged

STREAMED = "data: {input_mode: FastFile, train: {examples: %s}, tokens: {mean: 1000, max: 2000}}"


def test_the_edge_is_the_mode(tmp_path):
    edge("HB661", "", "data.input_mode", "File", "FastFile", tmp_path)


@pytest.mark.parametrize(("examples", "found"), [(2198, True), (12_000_000, True), (13_000_000, False)])
def test_the_edge_is_fifty_gigabytes(examples, found, tmp_path):
    """Four bytes a token: 50 GB are 12.5 million examples of 1,000 tokens."""
    assert bool(judged("HB661", STREAMED % examples, tmp_path)) is found


def test_a_script_of_the_authors_may_read_as_it_trains(tmp_path):
    (tmp_path / "train.py").touch()
    own = f"{STREAMED % 2198}\nscript: {{entry_point: train.py, source_dir: .}}"
    assert judged("HB661", own, tmp_path) == []

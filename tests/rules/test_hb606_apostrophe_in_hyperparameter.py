"""HB606: apostrophes in hyperparameters of another script."""

from __future__ import annotations

import pytest
from judged import edge, judged

SCRIPT = "script: {entry_point: base.yaml, hyperparameters: {run_name: %s}}"


def test_the_edge_is_one_apostrophe(tmp_path):
    edge("HB606", SCRIPT % "x", "script.hyperparameters.run_name", "sages run", "sage's run", tmp_path)


@pytest.mark.parametrize(("value", "count"), [('"sage\'s run"', 1), ('"sage run"', 0), ("3", 0), ("true", 0)])
def test_values(tmp_path, value, count):
    assert len(judged("HB606", SCRIPT % value, tmp_path)) == count

"""HB509: merged weights behind a script that saves adapters."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_merging(tmp_path):
    edge("HB509", "", "deployment.adapters", "separate", "merged", tmp_path)


@pytest.mark.parametrize("other", ["script: {entry_point: base.yaml}", "hyperparameters: {method: full}"])
def test_another_script_may_merge_and_full_training_saves_a_whole_model(other, tmp_path):
    assert judged("HB509", f"deployment: {{adapters: merged}}\n{other}", tmp_path) == []

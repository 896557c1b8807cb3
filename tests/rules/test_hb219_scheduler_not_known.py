"""HB219: schedules that the script does not support."""

from __future__ import annotations

import pytest
from judged import edge, judged


@pytest.mark.parametrize("beyond", ["cosin", "cosine_with_min_lr"])
def test_edge(beyond, tmp_path):
    edge("HB219", "", "hyperparameters.lr_scheduler_type", "cosine", beyond, tmp_path)


def test_a_name_that_is_not_known(tmp_path):
    (found,) = judged("HB219", "hyperparameters: {lr_scheduler_type: cosin}", tmp_path)
    assert (found.message, found.help) == ("cosin is not a known schedule", "did you mean cosine?")


def test_the_author_s_script_may_use_all_of_them(tmp_path):
    schedule = "hyperparameters: {lr_scheduler_type: warmup_stable_decay}"
    assert judged("HB219", f"script: {{entry_point: base.yaml}}\n{schedule}", tmp_path) == []
    (found,) = judged("HB219", schedule, tmp_path)
    assert found.message == "warmup_stable_decay needs arguments that the shipped script lacks"
    assert found.fixes == ()

"""HB249: a schedule that is named for a warm-up that is not set."""

from __future__ import annotations

import pytest
from judged import codes, edge

SCHEDULE = "hyperparameters: {lr_scheduler_type: constant_with_warmup}"


def test_edge(tmp_path):
    edge("HB249", SCHEDULE, "hyperparameters.warmup_steps", 1, 0, tmp_path)
    edge("HB249", SCHEDULE, "hyperparameters.warmup_ratio", 0.01, 0.0, tmp_path)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
def test_other_schedules_promise_nothing(schedule, tmp_path):
    assert "HB249" not in codes(f"hyperparameters: {{lr_scheduler_type: {schedule}}}", tmp_path)

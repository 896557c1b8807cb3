"""HB632: a step that may take as long as the job. `base.yaml` stops after four hours."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_limit_of_the_job(tmp_path):
    edge("HB632", "", "monitoring.step_time.max", "14399s", "4h", tmp_path)


@pytest.mark.parametrize(
    "fragment",
    [
        "monitoring: {step_time: {max: 9h}}\ninstance: {max_runtime: null}",
        "monitoring: {step_time: {min: 1s}}",
        "monitoring: {step_time: {max: 60s}}\ninstance: {max_runtime: 1m}",  # HB301 says that the limit is too short
    ],
)
def test_without_a_finding(fragment, tmp_path):
    assert judged("HB632", fragment, tmp_path) == []

"""HB630: the window of `monitoring.loss`. `base.yaml` has 300 updates and logs each."""

from __future__ import annotations

import pytest
from judged import edge, judged

WINDOW = "monitoring: {loss: {decreasing_over: %s}}\nhyperparameters: {logging_steps: %s}"


def test_the_edge_is_the_length_of_the_run(tmp_path):
    edge("HB630", "", "monitoring.loss.decreasing_over", "300 steps", "301 steps", tmp_path)


@pytest.mark.parametrize(
    ("window", "logged", "said"),
    [
        ("300 steps", "null", None),
        ("2 steps", "null", None),
        ("1 step", "null", "compares the losses of two batches"),
        ("0 steps", "null", "no two losses"),
        ("10 steps", "10", None),
        ("9 steps", "10", "shorter than logging_steps, 10"),
        ("29 steps", "0.1", "shorter than logging_steps, 30"),
        ("50 steps", "10", None),  # alignment-handbook and TRL log every 1 to 10 updates
        ("3000 steps", "null", "exceeds the 300 updates"),
    ],
)
def test_windows(window, logged, said, tmp_path):
    found = judged("HB630", WINDOW % (window, logged), tmp_path)
    assert [said in entry.message and entry.severity == "warning" for entry in found] == ([True] if said else [])


def test_where_the_updates_are_not_known_nothing_is_said(tmp_path):
    unknown = "hyperparameters: {max_steps: null}\ndata: {train: {examples: null}}"
    assert judged("HB630", f"monitoring: {{loss: {{decreasing_over: 3000 steps}}}}\n{unknown}", tmp_path) == []

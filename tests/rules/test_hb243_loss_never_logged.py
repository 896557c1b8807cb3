"""HB243: the interval of log lines against the run."""

from __future__ import annotations

from judged import codes, edge, judged


def test_edge(tmp_path):
    edge("HB243", "", "hyperparameters.logging_steps", 300, 301, tmp_path)


def test_a_share_is_always_within_the_run(tmp_path):
    assert "HB243" not in codes("hyperparameters: {logging_steps: 0.5}", tmp_path)


def test_both_numbers_of_updates_are_named(tmp_path):
    (found,) = judged("HB243", "hyperparameters: {logging_steps: 5000}", tmp_path)
    assert found.message == "logging_steps 5,000 exceeds the 300 updates of the run: no loss is logged"
    assert found.help == "use logging_steps: 10"

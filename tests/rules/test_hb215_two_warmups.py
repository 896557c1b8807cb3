"""HB215: a warm-up in two units."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB215", "hyperparameters: {warmup_steps: 9}", "hyperparameters.warmup_ratio", None, 0.0, tmp_path)


def test_edge_of_the_updates(tmp_path):
    edge("HB215", "hyperparameters: {warmup_ratio: 0.1}", "hyperparameters.warmup_steps", None, 0, tmp_path)


def test_both_are_named(tmp_path):
    (found,) = judged("HB215", "hyperparameters: {warmup_steps: 9, warmup_ratio: 0.1}", tmp_path)
    assert found.message == "warmup_steps 9 and warmup_ratio 0.1 are both set"

"""HB244: the warm-up against half of the run."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_edges(tmp_path):
    edge("HB244", "", "hyperparameters.warmup_steps", 150, 151, tmp_path)
    edge("HB244", "", "hyperparameters.warmup_ratio", 0.5, 0.51, tmp_path)
    edge("HB244", "", "hyperparameters.warmup_steps", 0.5, 0.51, tmp_path)


@pytest.mark.parametrize("asked", ["{warmup_steps: 300}", "{warmup_ratio: 1.0}", "{warmup_steps: 9000}"])
def test_a_warm_up_of_the_whole_run_is_another_finding(asked, tmp_path):
    assert codes(f"hyperparameters: {asked}", tmp_path) == {"HB202"}


@pytest.mark.parametrize("asked", ["{warmup_ratio: 0.1}", "{max_steps: 60, warmup_steps: 5}"])  # LLaMA-Factory, unsloth
def test_public_recipes(asked, tmp_path):
    assert "HB244" not in codes(f"hyperparameters: {asked}", tmp_path)


def test_both_numbers_of_updates_are_named(tmp_path):
    (found,) = judged("HB244", "hyperparameters: {warmup_ratio: 0.9}", tmp_path)
    assert found.message == "warmup_ratio 0.9 is 270 of the 300 updates of the run, more than half"

"""HB274: groups of completions, and what is generated together."""

from __future__ import annotations

import pytest
from judged import codes, judged

NO_EDGE = "other groups are other times, of which HB301 may tell"
GRPO = "task: grpo\ndata: {type: prompt_only}\nreward: {functions: [finetune.py:train]}"


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ("", None),  # 8 processes, 4 micro-batches of 1: 32 completions, in groups of 8
        ("num_generations: 32", None),
        ("num_generations: 33", "num_generations"),
        ("num_generations: 64, steps_per_generation: 8", None),
        ("num_generations: 5, generation_batch_size: 40", None),
        ("generation_batch_size: 12", "generation_batch_size"),
        ("generation_batch_size: 32, steps_per_generation: 4", "generation_batch_size"),
    ],
)
def test_groups_are_whole(settings, at, tmp_path):
    found = judged("HB274", f"{GRPO}\nhyperparameters: {{{settings}}}", tmp_path)
    assert [one.route[-1] for one in found] == ([at] if at else [])


def test_other_tasks_generate_nothing(tmp_path):
    assert codes("hyperparameters: {num_generations: 5}", tmp_path) == {"HB213"}

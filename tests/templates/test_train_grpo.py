"""The job trains by TRL's GRPO: prompts, completions and updates are counted, and reward functions are held to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_train_tasks import SMALL, asked, put
from training_bench import TEMPLATES, Bench, losses

Job = Callable[..., str]
GRPO = SMALL | {
    "TASK": "grpo", "DATA_TYPE": "prompt_only", "NUM_GENERATIONS": "2", "MAX_COMPLETION_LENGTH": "4",
    "REWARD_FUNCTIONS": "author_rewards.py:long",
}  # fmt: skip
PROMPTS = [{"prompt": asked(n), "answer": n + 1} for n in range(6)]
FUNCTIONS = """
def long(completions, answer, **_):
    assert len(answer) == len(completions) and isinstance(completions[0][0]["content"], str)
    return [len(each[0]["content"]) + number for number, each in enumerate(completions)]


def broken(completions, **_):
    return [1 / 0 for _ in completions]


def short(completions, **_):
    return [1.0]


async def waited(completions, **_):
    return [1.0 for _ in completions]
"""


@pytest.fixture
def rewards() -> Iterator[Path]:
    """A file beside the script, as the source folder of a job has it."""
    path = TEMPLATES / "author_rewards.py"
    path.write_text(FUNCTIONS)
    yield path
    path.unlink()


def test_prompts_completions_and_updates(bench: Bench, job: Job, rewards: Path) -> None:
    put(bench, GRPO, PROMPTS, PROMPTS[:2])
    output = job()
    assert len(losses(output)) == 2
    record = bench.record
    assert record["examples_of_each_update"] == [2, 2]
    assert record["completions_generated"] == 8
    assert record["completions_of_each_update"] == [4, 4]
    assert record["epoch"] == {"examples": 6, "distinct": 6, "micro_batches_per_rank": 6, "updates": 3}
    assert "train: 6 prompts of 6" in output
    assert len(re.findall("eval_loss=", output)) == 1

"""Rehearsals of each task on a sample of its own kind of data: what is counted is what the plan says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch  # noqa: F401 - the processes that are started need it
from preloaded_training import imports_made

from hbspec.smoke import Rehearsal, RehearsalError, rehearse
from hbspec.smoke.reward_columns import reward_columns
from hbspec.smoke.sample import training_lines
from hbspec.spec.data import Data

CONFIG = {
    "model_type": "qwen2", "hidden_size": 2048, "intermediate_size": 2048, "num_hidden_layers": 64,
    "num_attention_heads": 16, "num_key_value_heads": 8, "max_position_embeddings": 131072, "rope_theta": 1000000.0,
    "tie_word_embeddings": False, "vocab_size": 152064,
}  # fmt: skip
SPEC = {
    "hbspec": 1,
    "name": "small",
    "model": {"id": "Qwen/Qwen2.5-7B-Instruct"},
    "data": {"train": {"examples": 96}, "tokens": {"mean": 100, "max": 200}},
    "instance": {"gpu": "A100-80", "gpus": 2, "parallelism": "ddp"},
    "hyperparameters": {
        "method": "lora", "learning_rate": 1e-4, "max_steps": 10, "per_device_batch_size": 2,
        "gradient_accumulation_steps": 2, "max_length": 256, "lora_r": 8, "save_steps": 2,
    },
}  # fmt: skip
REWARDS = """
def right(prompts, completions, answer, *, scale=1, game, **_):
    texts = [said if isinstance(said, str) else said[0]["content"] for said in completions]
    return [float(number in text) * scale for text, number in zip(texts, answer)]


class Judge:
    pass
"""
ONE = ("instance.gpus=1", "instance.parallelism=single")
PAIRS, RATED, PROMPTS = ("data.type=preference",), ("data.type=unpaired_preference",), ("data.type=prompt_only",)
TEXTS = ("data.format=standard",)
FULL = ("hyperparameters.method=full", "hyperparameters.lora_r=null")
GRPO = (*PROMPTS, "hyperparameters.num_generations=4", "hyperparameters.max_completion_length=64")


@pytest.fixture(scope="module", autouse=True)
def sooner() -> Iterator[None]:
    with imports_made():
        yield


def rehearsed(folder: Path, task: str, *changed: str, ranks: int = 1, functions: str = REWARDS) -> Rehearsal:
    (folder / "pyproject.toml").touch()
    (folder / "rewards.py").write_text(functions)
    reward = {"reward": {"functions": ["rewards.py:right"]}} if task == "grpo" else {}
    (folder / "spec.yaml").write_text(json.dumps(SPEC | reward))  # JSON is YAML
    overrides = (f"task={task}", *changed)
    out = folder / "out"
    done = rehearse(folder / "spec.yaml", out, config=CONFIG, ranks=ranks, updates=3, overrides=overrides, force=True)
    assert done.agrees, [(row.name, row.planned, row.counted) for row in done.comparisons if not row.agrees]
    return done


def counted(done: Rehearsal) -> dict[str, Any]:
    return {row.name: row.counted for row in done.comparisons}


def test_pairs_are_two_rows_each(tmp_path: Path) -> None:
    found = counted(rehearsed(tmp_path, "dpo", *PAIRS, *ONE))
    assert found["examples of 3 updates"] == 12
    assert found["rows of 3 updates"] == 24


def test_prompts_and_completions_that_the_author_s_function_scores(tmp_path: Path) -> None:
    done = rehearsed(tmp_path, "grpo", *GRPO, *ONE)
    found = counted(done)
    assert found["prompts of 3 updates"] == 3
    assert found["completions of 3 updates"] == found["rows of 3 updates"] == 12
    assert any("columns (answer, game)" in said for said in done.unproven)


@pytest.mark.long
@pytest.mark.parametrize(
    ("task", "changed", "ranks"),
    [
        ("dpo", PAIRS, 2),
        ("dpo", (*PAIRS, *TEXTS, *FULL, *ONE), 1),
        ("dpo", (*PAIRS, "data.columns={chosen: good, rejected: bad}", *ONE), 1),
        ("kto", RATED, 2),
        ("kto", (*RATED, *TEXTS, "data.columns={label: liked}", *ONE), 1),
        ("reward", PAIRS, 2),
        ("reward", (*PAIRS, *TEXTS, *FULL, *ONE), 1),
        ("pretrain", TEXTS, 2),
        ("pretrain", ONE, 1),
        ("grpo", (*GRPO, *TEXTS), 2),
        ("grpo", (*GRPO, "hyperparameters.steps_per_generation=4", "hyperparameters.num_iterations=2", *ONE), 1),
        ("grpo", (*GRPO, "hyperparameters.num_generations=8", *ONE), 1),
    ],
)
def test_every_other_task_and_format(tmp_path: Path, task: str, changed: Sequence[str], ranks: int) -> None:
    rehearsed(tmp_path, task, *changed, ranks=ranks)


def test_pairs_have_their_prompt_in_a_column_or_in_both_answers() -> None:
    rows = [json.loads(line) for line in training_lines(Data(type="preference")).splitlines()]
    assert {frozenset(row) for row in rows} == {
        frozenset({"prompt", "chosen", "rejected"}), frozenset({"chosen", "rejected"})
    }  # fmt: skip
    named = Data.model_validate({"type": "preference", "columns": {"prompt": "question"}})
    assert all("question" in json.loads(line) for line in training_lines(named).splitlines())


def test_columns_that_reward_functions_need(tmp_path: Path) -> None:
    (tmp_path / "rewards.py").write_text(REWARDS)
    assert reward_columns(tmp_path, ["./rewards.py:right", "rewards.py:Judge"]) == ("answer", "game")
    rows = training_lines(Data(type="prompt_only"), ("answer",)).splitlines()
    assert [json.loads(row)["answer"] for row in rows[:3]] == ["0", "7", "14"]


def test_a_function_that_fails_on_made_up_columns_asks_for_the_data(tmp_path: Path) -> None:
    broken = REWARDS.replace("float(number in text)", "int(text[number])")
    with pytest.raises(RehearsalError, match="columns made up for reward functions: answer, game; pass --train FILE"):
        rehearsed(tmp_path, "grpo", *GRPO, *ONE, functions=broken)

"""The job trains by TRL's GRPO: prompts, completions and updates are counted, and reward functions are held to it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from test_train_tasks import SMALL, asked, put
from training_bench import Bench, losses

Job = Callable[..., str]
GRPO = SMALL | {
    "TASK": "grpo", "DATA_TYPE": "prompt_only", "NUM_GENERATIONS": "2", "MAX_COMPLETION_LENGTH": "4",
    "REWARD_FUNCTIONS": "rewards.py:long",
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


@pytest.fixture(autouse=True)
def rewards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the script, as the source folder of a job has it."""
    import author_rewards
    import beside

    (tmp_path / "rewards.py").write_text(FUNCTIONS)
    for module in (beside, author_rewards):
        monkeypatch.setattr(module, "__file__", str(tmp_path / "module.py"))


def test_prompts_completions_and_updates(bench: Bench, job: Job) -> None:
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


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("broken", r"rewards.py:8: the reward function broken raised ZeroDivisionError \(division by zero\)"),
        ("short", r"rewards.py:11: the reward function short returned 1 rewards for 4 completions"),
    ],
)
def test_a_reward_function_that_fails_is_named_with_its_line(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str], function: str, says: str
) -> None:
    import train

    put(bench, GRPO | {"REWARD_FUNCTIONS": f"rewards.py:{function}"}, PROMPTS)
    assert train.main(bench.arguments) == 2
    said = capsys.readouterr().err
    assert re.search(says, said)
    assert "correct it and start again" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"REWARD_FUNCTIONS": "nowhere.py:long"}, "nowhere.py is not a file beside this script"),
        ({"REWARD_FUNCTIONS": "rewards.py:lon"}, "defines no function lon (its functions: long, broken, short"),
        ({"REWARD_FUNCTIONS": "rewards.py:waited"}, "rewards.py:15 is an async function"),
        ({"REWARD_FUNCTIONS": "long"}, "must be file.py:name"),
        ({"MAX_COMPLETION_LENGTH": "128"}, "MAX_COMPLETION_LENGTH=128 leaves no token of MAX_LENGTH=128"),
        ({"MAX_LENGTH": "12"}, "train: MAX_LENGTH=12 leaves no prompt that fits into 8 tokens"),
        ({"WATCH_LOSS": "10"}, "WATCH_LOSS=10 has no effect with TASK=grpo"),
    ],
)
def test_what_cannot_be_generated_is_refused_before_a_model_is_loaded(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str],
    says: str,
) -> None:
    import job
    import train

    monkeypatch.setattr(job, "load_model", lambda *_: pytest.fail("the model was loaded"))
    put(bench, GRPO | settings, PROMPTS)
    assert train.main(bench.arguments) == 2
    assert says in capsys.readouterr().err


def test_a_group_is_generated_as_a_whole() -> None:
    from settings import Settings
    from task_settings import evaluation_refusals, generation_refusals

    settings = Settings(MODEL_ID="m", TASK="grpo", PER_DEVICE_BATCH_SIZE=2, GRADIENT_ACCUMULATION_STEPS=3)
    [said] = generation_refusals(settings, 2)
    assert "a generation of TASK=grpo holds 12 completions" in said
    assert "NUM_GENERATIONS is 8" in said
    assert list(generation_refusals(settings, 4)) == []
    assert len(list(evaluation_refusals(settings, 2))) == 1
    assert list(evaluation_refusals(settings, 4)) == []


def test_completions_are_the_same_after_a_new_start(bench: Bench, job: Job) -> None:
    """Over two epochs: the prompts of the second come in another order than those of the first."""
    put(bench, GRPO | {"MAX_STEPS": "5", "SAVE_STEPS": "1", "SAVE_TOTAL_LIMIT": "9"}, PROMPTS)
    whole = re.findall(r"step=(\d) loss=(\S+) grad_norm=(\S+)", job())
    for name in ("model", "checkpoints/checkpoint-5"):
        shutil.rmtree(bench.folder / name)
    assert len(whole) == 5
    assert re.findall(r"step=(\d) loss=(\S+) grad_norm=(\S+)", job()) == whole[4:]


def test_fewer_prompts_than_a_generation_takes(bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    import train

    put(bench, GRPO | {"STEPS_PER_GENERATION": "8"}, PROMPTS)
    assert train.main(bench.arguments) == 2
    said = "a generation of TASK=grpo takes 8 prompts, and the training data hold 6: set a smaller STEPS_PER_GENERATION"
    assert said in capsys.readouterr().err


def test_a_generation_of_several_updates_is_trained_on_twice(bench: Bench, job: Job) -> None:
    """Prompts count when they are completed, and completions as often as they are trained on."""
    put(bench, GRPO | {"STEPS_PER_GENERATION": "4", "NUM_ITERATIONS": "2", "MAX_STEPS": "5"}, PROMPTS)
    job()
    record = bench.record
    assert record["examples_of_each_update"] == [4, 0, 0, 0, 4]
    assert record["completions_generated"] == 16
    assert record["completions_of_each_update"] == [4] * 5
    assert record["epoch"] == {"examples": 4, "distinct": 4, "micro_batches_per_rank": 8, "updates": 4}


def test_a_rehearsal_keeps_the_completions_of_a_prompt_together(tmp_path: Path) -> None:
    import tiny
    from settings import Folders, Invocation, Settings

    asked = Invocation(Settings(MODEL_ID="m", TASK="grpo", GRADIENT_ACCUMULATION_STEPS=2), Folders(tiny=True))
    settings, made = tiny.rehearsal(asked, launched=False)
    assert (settings.STEPS_PER_GENERATION, settings.PER_DEVICE_EVAL_BATCH_SIZE) == (16, 8)
    assert settings.MAX_COMPLETION_LENGTH == 16
    assert {each.name for each in made} >= {"STEPS_PER_GENERATION", "MAX_COMPLETION_LENGTH"}
    settings, _ = tiny.rehearsal(asked, launched=True, processes=4)
    assert settings.STEPS_PER_GENERATION is None

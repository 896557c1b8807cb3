"""The job trains by each of TRL's trainers, counts what they consume, and delivers what they train."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from training_bench import Bench, losses

Job = Callable[..., str]
SMALL = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct", "METHOD": "lora", "LEARNING_RATE": "5e-3", "MAX_LENGTH": "128",
    "PER_DEVICE_BATCH_SIZE": "2", "GRADIENT_ACCUMULATION_STEPS": "2", "MAX_STEPS": "2",
}  # fmt: skip
DPO = SMALL | {"TASK": "dpo", "DATA_TYPE": "preference"}
KTO = SMALL | {"TASK": "kto", "DATA_TYPE": "unpaired_preference"}
REWARD = SMALL | {"TASK": "reward", "DATA_TYPE": "preference"}


def asked(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"What is {number} plus 1?"}]


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


PAIRS = [
    {"prompt": asked(n), "chosen": said(f"It is {n + 1}."), "rejected": said("No idea" + ", or so" * n)}
    for n in range(10)
]
IMPLICIT = [{name: pair["prompt"] + pair[name] for name in ("chosen", "rejected")} for pair in PAIRS]
TEXTS = [{"prompt": f"{n} plus 1 is", "chosen": f" {n + 1}.", "rejected": f" {n}" + ", or so" * n} for n in range(10)]
RATED = [{"prompt": pair["prompt"], "completion": pair["chosen"], "label": n % 2 == 0} for n, pair in enumerate(PAIRS)]


def put(bench: Bench, settings: dict[str, str], rows: list[Any], validation: list[Any] | None = None) -> None:
    bench.write(settings, [])
    for name, held in (("train", rows), ("validation", validation)):
        if held is not None:
            folder = bench.folder / name
            folder.mkdir(exist_ok=True)
            (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        (PAIRS, {}),
        (IMPLICIT, {"METHOD": "full", "BETA": "0.2", "LOSS_TYPE": "ipo"}),
        (TEXTS, {"DATA_FORMAT": "standard", "PRECOMPUTE_REF_LOG_PROBS": "true"}),
    ],
    ids=["lora", "full-implicit", "precomputed-texts"],
)
def test_dpo(bench: Bench, job: Job, rows: list[Any], settings: dict[str, str]) -> None:
    put(bench, DPO | settings, rows, rows[:2])
    output = job()
    assert len(losses(output)) == 2
    if "LOSS_TYPE" not in settings:
        assert losses(output)[0] == pytest.approx(0.693147, abs=1e-4), "before the first update no answer is preferred"
    record = bench.record
    assert record["examples_of_each_update"] == [4, 4]
    assert record["rows_consumed"] == 16
    assert record["epoch"] == {"examples": 10, "distinct": 10, "micro_batches_per_rank": 5, "updates": 3}
    assert record["data"]["train"]["rows"] == 20
    assert "train: 10 pairs of 10, 20 rows" in output


def test_kto(bench: Bench, job: Job) -> None:
    put(bench, KTO, RATED)
    job()
    record = bench.record
    assert record["examples_of_each_update"] == [4, 4]
    assert record["rows_consumed"] == record["examples_distinct"] == 8


@pytest.mark.one_in(3)
@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_a_reward_model_is_delivered_with_its_head(bench: Bench, job: Job, method: str) -> None:
    safe_open = pytest.importorskip("safetensors").safe_open

    put(bench, REWARD | {"METHOD": method}, PAIRS, PAIRS[:2])
    job()
    assert bench.record["examples_of_each_update"] == [4, 4]
    file = bench.folder / "model" / ("model.safetensors" if method == "full" else "adapter_model.safetensors")
    with safe_open(file, "pt") as held:
        names = [name for name in held.keys() if name.endswith("score.weight")]  # noqa: SIM118 - no mapping
        assert len(names) == 1
    if method != "full":
        config = json.loads((bench.folder / "model/adapter_config.json").read_text())
        assert config["task_type"] == "SEQ_CLS"
        assert "score" in config["modules_to_save"]


def test_all_of_a_text_is_learnt_in_pretraining(bench: Bench, job: Job) -> None:
    rows = [{"messages": pair["prompt"] + pair["chosen"]} for pair in PAIRS] + [{"messages": asked(1)}]
    put(bench, SMALL | {"TASK": "pretrain"}, rows)
    job()
    tally = bench.record["data"]["train"]
    assert tally["used"] == 11
    assert tally["trained_tokens"] == tally["tokens"] - 11, "but for the first token of each, which nothing predicts"


@pytest.mark.parametrize(
    ("settings", "rows", "says"),
    [
        (DPO, [*PAIRS, {"prompt": asked(1), "chosen": said("2")}], 'train/data.jsonl:11: the line has no "rejected"'),
        (DPO, [*PAIRS, PAIRS[0] | {"rejected": PAIRS[0]["chosen"]}], '11: "chosen" equals "rejected", so nothing'),
        (DPO, [*PAIRS, PAIRS[0] | {"rejected": said("")}], '11: "rejected" is empty, so nothing to learn'),
        (DPO, RATED, "it is unpaired preference (conversational), and not preference (conversational)"),
        (KTO, PAIRS, "it is preference (conversational), and not unpaired preference (conversational)"),
        (REWARD, TEXTS, '"prompt" is not a list of messages: it is preference (standard), and not preference'),
        (DPO | {"DATA_TYPE": "prompt_only"}, PAIRS, "TASK=dpo trains preference, and DATA_TYPE is prompt_only"),
        (SMALL | {"BETA": "0.1"}, PAIRS, "BETA=0.1 has no effect with TASK=sft, only with dpo, kto, grpo: leave it"),
        (DPO | {"LOSS_TYPE": "kto"}, PAIRS, "LOSS_TYPE=kto is not a loss of TASK=dpo: use one of sigmoid, hinge"),
        (DPO | {"PACKING": "true"}, PAIRS, "PACKING=true has no effect with TASK=dpo, only with sft, pretrain"),
        (KTO | {"PER_DEVICE_BATCH_SIZE": "1"}, RATED, "set it to at least 2, or LOSS_TYPE=apo_zero_unpaired"),
        (DPO | {"MAX_LENGTH": "8"}, PAIRS, "train: MAX_LENGTH=8 leaves no pair that fits into 8 tokens"),
        (REWARD | {"MAX_LENGTH": "8"}, PAIRS, "train: MAX_LENGTH=8 leaves no pair that fits into 8 tokens"),
    ],
)
def test_what_a_task_cannot_train_is_refused_before_a_model_is_loaded(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str],
    rows: list[Any],
    says: str,
) -> None:
    import job
    import train

    monkeypatch.setattr(job, "load_model", lambda *_: pytest.fail("the model was loaded"))
    put(bench, settings, rows)
    assert train.main(bench.arguments) == 2
    assert says in capsys.readouterr().err


def test_a_resumed_run_of_pairs_is_the_unbroken_one(bench: Bench, job: Job) -> None:
    put(bench, DPO | {"MAX_STEPS": "4", "SAVE_STEPS": "1", "SAVE_TOTAL_LIMIT": "9"}, PAIRS)
    whole = losses(job())
    for name in ("model", "checkpoints/checkpoint-4", "checkpoints/checkpoint-3"):
        shutil.rmtree(bench.folder / name)
    output = job()
    assert losses(output) == whole[2:]
    assert bench.record["resumed_from_step"] == 2


def test_another_beta_is_another_run(bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    import train

    put(bench, DPO | {"MAX_STEPS": "1"}, PAIRS)
    job()
    assert train.main([*bench.arguments, "--BETA", "0.5"]) == 2
    assert "BETA was not set there and is 0.5 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "rows"),
    [(DPO, PAIRS), (DPO, IMPLICIT), (DPO, TEXTS), (KTO, RATED), (REWARD, PAIRS), (REWARD, TEXTS), (REWARD, IMPLICIT)],
)
def test_rows_are_those_of_trl(settings: dict[str, str], rows: list[dict[str, Any]], tmp_path: Path) -> None:
    import tiny
    import trl
    from datasets import Dataset
    from encoding import encode_rows
    from job_examples import Columns
    from settings import Settings
    from tasks import TASKS

    examples = [Columns(str(number), row) for number, row in enumerate(rows)]
    tokenizer = tiny.train_tokenizer((text for each in examples for text in each.texts), tiny.FAMILIES["chatml"])
    _, uncut = encode_rows(tokenizer, examples, Settings(MODEL_ID="m", TASK=settings["TASK"]))
    cap = uncut.longest - 2  # some answers are cut, or left out
    run = Settings(MODEL_ID="m", TASK=settings["TASK"], PER_DEVICE_BATCH_SIZE=2, MAX_LENGTH=cap)
    found, tally = encode_rows(tokenizer, examples, run)
    task = TASKS[run.TASK]
    itself = SimpleNamespace(_tokenizer=tokenizer, calculate_KL=True, desirable_weight=1.0, undesirable_weight=1.0)
    arguments = getattr(trl, task.config)(
        str(tmp_path), max_length=cap, use_cpu=True, bf16=False, per_device_train_batch_size=2
    )
    theirs = getattr(trl, task.trainer)._prepare_dataset(itself, Dataset.from_list(rows), tokenizer, arguments, "train")
    assert [{key: row[key] for key in found[0]} for row in theirs] == found
    assert tally.used == len(found) > 0
    assert tally.truncated + tally.dropped > 0

"""The job trains by each of TRL's trainers, counts what they consume, and delivers what they train."""

from __future__ import annotations

import json
from collections.abc import Callable
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


PAIRS = [{"prompt": asked(n), "chosen": said(f"It is {n + 1}."), "rejected": said(f"No idea, {n}.")} for n in range(10)]
IMPLICIT = [{name: pair["prompt"] + pair[name] for name in ("chosen", "rejected")} for pair in PAIRS]
TEXTS = [{"prompt": f"{n} plus 1 is", "chosen": f" {n + 1}.", "rejected": f" {n}, or so I think."} for n in range(10)]
RATED = [{"prompt": pair["prompt"], "completion": pair["chosen"], "label": n % 2 == 0} for n, pair in enumerate(PAIRS)]


def put(bench: Bench, settings: dict[str, str], rows: list[Any], validation: list[Any] | None = None) -> None:
    bench.write(settings, [])
    for name, held in (("train", rows), ("validation", validation)):
        if held is not None:
            folder = bench.folder / name
            folder.mkdir(exist_ok=True)
            (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))


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


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_a_reward_model_is_delivered_with_its_head(bench: Bench, job: Job, method: str) -> None:
    from safetensors import safe_open

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

from __future__ import annotations

import pytest
from planned import FULL, LORA, QLORA, planned

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.time import time
from hbspec.units import HOUR

A100 = {"type": None, "gpu": "A100-80", "gpus": 1, "parallelism": "single"}
LLAMA, MISTRAL = "meta-llama/Llama-3.1-8B", "mistralai/Mistral-7B-v0.3"
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ALPACA = {"attn_implementation": "flash_attention_2", "gradient_accumulation_steps": 1}

MEASURED = [
    # tokens/s on each GPU, in sources that the constants were fitted to: not evidence of anything else
    # VectorLM, docs/reference_throughput.md: Llama 3 8B, A100-80GB
    (LLAMA, {**LORA, "lora_r": 8, "target_modules": ["q_proj", "v_proj"]}, 1, "single", 4096, 4, 3682.2),
    (LLAMA, FULL, 4, "fsdp", 4096, 4, 3062.4),
    # IBM fms-acceleration, benchmark CSVs: Mistral 7B, A100-80GB
    (MISTRAL, FULL, 1, "single", 4096, 4, 3062.7),
    (MISTRAL, {**LORA, "target_modules": ATTENTION, "lora_dropout": 0.0}, 1, "single", 4096, 4, 3323.8),
    (MISTRAL, {**QLORA, "target_modules": ATTENTION, "lora_dropout": 0.0}, 1, "single", 4096, 4, 2904.0),
]


@pytest.mark.parametrize(("model", "method", "gpus", "parallelism", "tokens", "rows", "measured"), MEASURED)
def test_published_rates_lie_inside(model, method, gpus, parallelism, tokens, rows, measured):
    instance = {**A100, "gpus": gpus, "parallelism": parallelism}
    plan = planned(
        model,
        method=method,
        instance=instance,
        tokens=(tokens, tokens),
        per_device_batch_size=rows,
        max_length=tokens,
        **ALPACA,
    )
    rate = time(plan).tokens_per_second_per_gpu
    assert rate.low <= measured <= rate.high
    assert rate.high / rate.low < 2.2


def test_the_job_takes_hours_in_a_pipeline_and_minutes_with_ddp():
    pipeline = time(planned())
    ddp = time(planned(instance={"parallelism": "ddp"}, gradient_accumulation_steps=4))
    assert 1 * HOUR < pipeline.total_seconds.low < pipeline.total_seconds.high < 10 * HOUR
    assert ddp.phases["steps"].expected < pipeline.phases["steps"].expected / 8
    assert ddp.tokens_per_second_per_gpu.expected > 8 * pipeline.tokens_per_second_per_gpu.expected


def test_phases_add_up_and_start_up_is_not_billed():
    found = time(planned())
    assert list(found.phases) == [
        "startup", "image_pull", "weights_download", "data_download", "load", "steps", "checkpoints", "upload"
    ]  # fmt: skip
    assert found.total_seconds.expected == pytest.approx(sum(took.expected for took in found.phases.values()))
    assert found.billed_seconds.expected == pytest.approx(
        found.total_seconds.expected - found.phases["startup"].expected
    )
    assert [entry["billed"] for entry in found.to_dict()["phases"].values()] == [False] + [True] * 7


def test_hardware_of_ones_own_has_no_phases_of_a_service():
    assert list(time(planned(instance=A100)).phases) == ["load", "steps", "checkpoints"]


def test_checkpoints_take_time():
    plans = (planned(save_steps=every)._replace(checkpoints_survive=False) for every in (301, 10))
    last, often = (time(plan).phases["checkpoints"] for plan in plans)
    assert last.low > 0  # one is written at the end, whatever save_steps says
    assert often.expected == pytest.approx(30 * last.expected)


def test_cost_of_unknown_lengths_is_wide():
    known, unknown = (time(planned(tokens=tokens)).total_seconds for tokens in ((374.0, 689), None))
    assert unknown.high / unknown.low > 5 * known.high / known.low


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bf16": True, "instance": {"type": "ml.g4dn.2xlarge", "parallelism": "single"}}, "T4 in bfloat16"),
        ({"instance": {"type": None, "gpu": "a card", "gpu_memory": "24 GB", "parallelism": "single"}}, "bandwidth"),
    ],
)
def test_what_is_missing_is_named(changes, said):
    with pytest.raises(NotKnownError, match=said):
        time(planned(**changes))


def test_missing_counts_are_named():
    plan = planned()._replace(counts=None, unknown={"counts": "data.train.examples"})
    with pytest.raises(NotKnownError, match=r"data\.train\.examples"):
        time(plan)

"""HB102: one process on several GPUs."""

from __future__ import annotations

import pytest
from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"


def test_edge(tmp_path):
    machine = SMALL + "instance: {type: null, gpu: A100-40, price: 10 USD/h, parallelism: single}"
    edge("HB102", machine, "instance.gpus", 1, 2, tmp_path)


def test_a_divisible_accumulation_is_divided(tmp_path):
    fragment = "instance: {parallelism: single}\nhyperparameters: {gradient_accumulation_steps: 32}"
    (found,) = judged("HB102", fragment, tmp_path)
    assert found.message == "parallelism: single uses 1 of the 8 GPUs of ml.p4d.24xlarge: 7 are paid for and idle"
    assert found.help == (
        "set parallelism to ddp and gradient_accumulation_steps to 4, "
        "for the same effective batch size in about 1/8 of the time"
    )


def test_else_the_same_gpu_alone_is_named_where_it_is_sold(tmp_path):
    fragment = (
        "instance: {type: ml.g5.12xlarge, parallelism: single}\nhyperparameters: {gradient_accumulation_steps: 3}"
    )
    (found,) = judged("HB102", SMALL + fragment, tmp_path)
    assert found.help == "set instance.type to ml.g5.xlarge, which has one A10G"


def test_ddp_is_not_advised_where_it_does_not_fit(tmp_path):
    larger = "model: {id: Qwen/Qwen2.5-14B}\nhyperparameters: {method: lora}\n"
    (found,) = judged("HB102", larger + "instance: {type: ml.g5.12xlarge, parallelism: single}", tmp_path)
    assert found.help.startswith("set parallelism to fsdp")


@pytest.mark.parametrize(
    ("given", "settings", "batch"),
    [
        (1, "set parallelism to ddp", "8 instead of 1"),
        (3, "set parallelism to ddp and gradient_accumulation_steps to 1", "8 instead of 3"),
        (12, "set parallelism to ddp and gradient_accumulation_steps to 1", "8 instead of 12"),
        (13, "set parallelism to ddp and gradient_accumulation_steps to 2", "16 instead of 13"),
    ],
)
def test_an_accumulation_that_does_not_divide_is_rounded(given, settings, batch, tmp_path):
    machine = "instance: {type: null, gpu: A100-40, gpus: 8, price: 10 USD/h, parallelism: single}"
    given = f"hyperparameters: {{gradient_accumulation_steps: {given}}}"
    (found,) = judged("HB102", f"{SMALL}{machine}\n{given}", tmp_path)
    assert found.help == f"{settings}, for an effective batch size of {batch}"

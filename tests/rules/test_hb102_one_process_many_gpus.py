"""HB102: one process on several GPUs."""

from __future__ import annotations

from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"


def test_edge(tmp_path):
    machine = SMALL + "instance: {type: null, gpu: A100-40, price: 10 USD/h, parallelism: single}"
    edge("HB102", machine, "instance.gpus", 1, 2, tmp_path)


def test_a_divisible_accumulation_is_divided(tmp_path):
    fragment = "instance: {parallelism: single}\nhyperparameters: {gradient_accumulation_steps: 32}"
    (found,) = judged("HB102", fragment, tmp_path)
    assert found.message == "parallelism: single uses 1 of the 8 GPUs of ml.p4d.24xlarge: 7 are paid for and idle"
    assert "gradient_accumulation_steps: 4," in found.help


def test_else_the_same_gpu_alone_is_named_where_it_is_sold(tmp_path):
    fragment = (
        "instance: {type: ml.g5.12xlarge, parallelism: single}\nhyperparameters: {gradient_accumulation_steps: 3}"
    )
    (found,) = judged("HB102", SMALL + fragment, tmp_path)
    assert found.help == "use ml.g5.xlarge, which has one A10G"


def test_ddp_is_not_advised_where_it_does_not_fit(tmp_path):
    (found,) = judged("HB102", "instance: {type: ml.g5.12xlarge, parallelism: single}", tmp_path)
    assert "ddp with" not in found.help

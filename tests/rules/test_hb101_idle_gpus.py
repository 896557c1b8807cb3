"""HB101: one GPU busy at a time."""

from __future__ import annotations

import pytest
from judged import SPECS, edge, judged, said

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"


def test_edge(tmp_path):
    machine = SMALL + "instance: {type: null, gpu: A100-40, price: 10 USD/h, parallelism: pipeline}"
    edge("HB101", machine, "instance.gpus", 1, 2, tmp_path)


def test_seven_of_eight_gpus_of_the_seed_are_idle():
    (found,) = said("HB101", SPECS / "heartbeat-as-written.yaml")
    assert found.route == ("instance", "parallelism")
    assert found.message == (
        "parallelism: pipeline uses 1 of 8 GPUs at a time: 7 are paid for and idle; the effective batch size is 32 "
        "with this one process, under ddp the same settings give 256: 33.4 epochs (34.9 nominal)"
    )
    assert "gradient_accumulation_steps to 4," in found.help


def test_a_pipeline_never_spans_instances(tmp_path):
    (found,) = judged("HB105", "instance: {parallelism: pipeline, count: 2}", tmp_path)
    assert found.also == (("HB101", ("instance", "parallelism")),)  # the idle GPUs have the same cause


@pytest.mark.parametrize(
    ("instance", "advised"),
    [
        ("{type: ml.p4d.24xlarge, parallelism: pipeline}", "set parallelism to ddp or fsdp "),
        ("{type: ml.g5.12xlarge, parallelism: pipeline}", "the job is not certain to fit under ddp or fsdp"),
        ("{type: ml.g4dn.12xlarge, parallelism: pipeline}", "the job is not certain to fit under ddp or fsdp"),
    ],
)
def test_a_process_on_every_gpu_is_advised_only_where_it_fits(instance, advised, tmp_path):
    given = "hyperparameters: {max_length: 704, bf16: null, bnb_quant_type: nf4}"
    (found,) = judged("HB101", f"instance: {instance}\n{given}", tmp_path)
    assert advised in found.help


def test_an_accumulation_that_does_not_divide_is_rounded(tmp_path):
    (found,) = judged("HB101", "instance: {parallelism: pipeline}", tmp_path)  # an accumulation of 4 on 8 GPUs
    assert found.help == (
        "set parallelism to ddp or fsdp and gradient_accumulation_steps to 1, "
        "for an effective batch size of 8 instead of 4"
    )

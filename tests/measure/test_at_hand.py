"""The job of a spec, put on the GPUs that are there."""

from __future__ import annotations

from made_records import SPEC

from hbspec.api import estimate
from hbspec.measure import at_hand
from hbspec.measure.gpus import GpuAtHand, MachineAtHand

H200 = GpuAtHand("NVIDIA H200", 150_755_000_000, 0)
STRANGE = GpuAtHand("Frobnicator 9000", 33_000_000_000, None)


def machine(*gpus):
    return MachineAtHand(gpus, "2.13.0", "12.8", "570.1")


def test_another_gpu_than_the_spec_names():
    plan = estimate(SPEC, overrides=at_hand.on_gpus(SPEC, (H200,))).plan
    assert (plan.hardware.gpu.name, plan.hardware.gpus) == ("H200-141", 1)
    assert plan.training == estimate(SPEC).plan.training


def test_a_gpu_outside_the_catalog_has_the_memory_that_it_says():
    plan = estimate(SPEC, overrides=at_hand.on_gpus(SPEC, (STRANGE,))).plan
    assert plan.hardware.gpu.name == "Frobnicator 9000"
    assert plan.hardware.gpu.nominal_bytes == 33_000_000_000


def test_what_says_where_a_job_runs_is_replaced_and_how_it_runs_stays():
    spec = {
        **SPEC,
        "instance": {"type": "ml.p4d.24xlarge", "parallelism": "fsdp", "spot": True, "max_wait": "9h", "count": 2},
        "calibration": {"tokens_per_second_per_gpu": 7},
        "data": {**SPEC["data"], "chat_template": "llama3"},
    }
    estimates = estimate(spec, overrides=at_hand.on_gpus(spec, (H200, H200)))
    plan = estimates.plan
    assert (plan.parallelism, plan.hardware.gpus, plan.spot, plan.measured_tokens_per_second) == (
        "fsdp",
        2,
        False,
        None,
    )
    assert estimates.analysis.chat_template is None


def test_as_many_gpus_as_the_job_has_for_it():
    single, ddp = estimate(SPEC).plan, estimate(SPEC, overrides=["instance.parallelism=ddp"]).plan
    four = estimate(SPEC, overrides=["instance={type: ml.g5.12xlarge, parallelism: ddp}"]).plan
    assert len(at_hand.used(machine(H200, H200, H200), single)) == 1
    assert len(at_hand.used(machine(H200, H200, H200), ddp)) == 1
    assert len(at_hand.used(machine(H200, H200, H200), four)) == 3
    assert at_hand.used(machine(), four) == ()


def test_a_cpu_runs_one_process_in_float32():
    spec = {
        **SPEC,
        "instance": {"type": "ml.p4d.24xlarge", "parallelism": "fsdp", "fsdp_version": 1, "sharding": "full"},
        "hyperparameters": {**SPEC["hyperparameters"], "bf16": True, "attn_implementation": "flash_attention_2"},
    }
    plan = estimate(spec, overrides=at_hand.on_cpu(spec)).plan
    assert (plan.parallelism, plan.training.compute_dtype, plan.training.attention) == ("single", "float32", "sdpa")

"""What of a record applies to a job: all of it to the same one, and what differs is named with both values."""

from __future__ import annotations

import pytest
from made_records import SPEC, changed, record_of_estimate, with_record

from hbspec.api import estimate
from hbspec.plan.calibration import NEAR, UNCOMPARED, conditions_of
from hbspec.plan.epochs import EPOCHS
from hbspec.plan.training import Training


@pytest.fixture(scope="module")
def estimated():
    return estimate(SPEC)


@pytest.fixture(scope="module")
def record(estimated):
    return record_of_estimate(estimated)


def test_the_same_job(record, tmp_path):
    found = with_record(record, tmp_path).plan.measured
    assert (found.speed, found.memory, found.differences) == (True, True, ())


@pytest.mark.parametrize(
    "override",
    [
        "instance.region=us-west-2",
        "instance.max_runtime=2h",
        "hyperparameters.max_steps=10",
        "hyperparameters.learning_rate=1e-3",
        "hyperparameters.save_steps=7",
        "hyperparameters.lora_alpha=64",
        "data.train.examples=77",
        "software.peft=0.20.0",
        "software.trl=1.15.1",
        "model.id=Qwen/Qwen2.5-0.5B-Instruct",
    ],
)
def test_what_does_not_matter(override, record, tmp_path):
    found = with_record(record, tmp_path, override).plan.measured
    assert found.differences == ()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("instance.type=ml.g4dn.xlarge", "gpu: A10G measured, T4 in this job"),
        ("instance.type=ml.g6.xlarge", "gpu: A10G measured, L4 in this job"),
        ("instance.count=2", "hosts: 1 measured, 2 in this job"),
        ("instance.parallelism=ddp", "parallelism: single measured, ddp in this job"),
        ("instance.parallelism=fsdp", "fsdp.version: none measured, 2 in this job"),
        ("software.allocator='expandable_segments:True'", "allocator.expandable: False measured, True in this job"),
        ("software.transformers=4.57.0", "transformers: 5.23.0 measured, 4.57.0 in this job"),
        ("software.trl=1.14.0", "trl: 1.16.0 measured, 1.14.0 in this job"),
        ("model.id=Qwen/Qwen2.5-1.5B", "hidden_size: 896 measured, 1536 in this job"),
        ("hyperparameters.method=qlora", "method: lora measured, qlora in this job"),
        ("hyperparameters.method=full", "method: lora measured, full in this job"),
        ("hyperparameters.lora_r=8", "lora_r: 16 measured, 8 in this job"),
        ("hyperparameters.target_modules=[q_proj, v_proj]", "target_modules: all-linear measured, q_proj, v_proj in"),
        ("hyperparameters.per_device_batch_size=1", "micro_batch: 2 measured, 1 in this job"),
        ("hyperparameters.gradient_accumulation_steps=4", "gradient_accumulation: 1 measured, 4 in this job"),
        ("hyperparameters.gradient_checkpointing=false", "gradient_checkpointing: True measured, False in this job"),
        ("hyperparameters.optim=adamw_8bit", "optim: adamw_torch measured, adamw_8bit in this job"),
        ("hyperparameters.loss=standard", "loss: fused measured, standard in this job"),
        ("hyperparameters.attn_implementation=eager", "attention: sdpa measured, eager in this job"),
        ("hyperparameters.fp16=true", "compute_dtype: bfloat16 measured, float16 in this job"),
        ("hyperparameters.packing=true", "packing: False measured, True in this job"),
        ("data.validation={examples: 10}", "eval_batch: none measured, 2 in this job"),
    ],
)
def test_what_differs_is_named_with_both_values(override, said, record, tmp_path):
    found = with_record(record, tmp_path, override).plan.measured
    assert not found.speed
    assert not found.memory
    assert any(line.startswith(said) for line in found.differences), found.differences


def test_another_script(record, tmp_path):
    (tmp_path / "train.py").write_text("print()\n")
    found = with_record(record, tmp_path, "script={entry_point: train.py}", "software.trainer=trl").plan.measured
    assert "script: the shipped one measured, your own in this job" in found.differences


def test_every_choice_of_a_training_is_compared_or_said_not_to_matter(estimated):
    compared = conditions_of(estimated.plan, shipped=True)
    assert set(Training._fields) == UNCOMPARED | (set(Training._fields) & compared.keys())


def test_every_epoch_is_compared():
    assert {epoch.package for epoch in EPOCHS} == {"transformers", "trl", "bitsandbytes", "accelerate"}
    assert len(EPOCHS) > 25


@pytest.mark.parametrize(("factor", "applies"), [(1 / 1.3, False), (1 / 1.2, True), (1.2, True), (1.3, False)])
def test_speed_applies_to_near_lengths(factor, applies, record, tmp_path):
    """1.2 times as many tokens are within `NEAR`, 1.3 times are not; memory is of the longest row only."""
    assert 1.2 < NEAR < 1.3
    mean = 300 * factor
    found = with_record(record, tmp_path, f"data.tokens={{mean: {mean}, max: {round(mean)}}}").plan.measured
    assert found.speed is applies
    assert not found.memory
    assert found.not_memory == (f"longest row: 300 tokens measured, {round(mean)} in this job",)


def test_unknown_lengths_are_near_nothing(record, tmp_path):
    found = with_record(record, tmp_path, "data.tokens=null").plan.measured
    assert not found.speed
    assert "not known in this job" in found.not_speed[0]


def test_the_author_s_own_rate_goes_before_the_record_s(record, tmp_path):
    estimates = with_record(record, tmp_path, "calibration.tokens_per_second_per_gpu=500")
    assert not estimates.plan.measured.speed
    assert estimates.time.tokens_per_second_per_gpu.expected == 500


def test_a_gpu_that_others_used_too(record, tmp_path):
    def others(values):
        values["found"]["devices"][0]["others_bytes"] = 3 * 10**9

    found = with_record(changed(record, others), tmp_path).plan.measured
    assert found.differences == ("GPU 0 was not the job's alone: others held 3.00 GB of it",)


def test_a_record_of_a_cpu_says_nothing_about_a_gpu(record, tmp_path):
    def on_cpu(values):
        values["place"]["gpu"] = values["conditions"]["gpu"] = "CPU"
        values["found"]["devices"] = []

    found = with_record(changed(record, on_cpu), tmp_path).plan.measured
    assert not found.speed
    assert not found.memory
    assert found.differences[0] == "gpu: CPU measured, A10G in this job"


def test_values_are_shown_in_part_and_without_credentials(record, tmp_path):
    def long(values):
        values["conditions"]["optim"] = "hf_" + "a" * 34 + "b" * 100
        values["conditions"]["hf_" + "a" * 34] = 1

    said = " ".join(with_record(changed(record, long), tmp_path).plan.measured.differences)
    assert "a" * 30 not in said
    assert "bbbb" * 20 not in said

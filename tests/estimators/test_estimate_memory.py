from __future__ import annotations

import pytest
from planned import FULL, LORA, TRAINER, planned

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.estimators.training.memory import memory
from hbspec.estimators.training.stages import pipeline_stages
from hbspec.units import GB


def test_pipeline_spreads_the_layers():
    found = memory(planned())
    assert [device.index for device in found.devices] == list(range(8))
    assert found.verdict == "fits"
    assert found.fullest.process.high < 10 * GB
    assert [bool(device.terms) for device in found.devices] == [True] * 6 + [False] * 2
    assert "embedding" in found.devices[0].terms
    assert "output_head" in found.devices[5].terms


def test_longest_rows_stay_below_35_gb_in_a_pipeline():
    found = memory(planned(tokens=(4096.0, 4096)))
    assert all(device.process.high < 35 * GB for device in found.devices)


def test_ddp_holds_everything_on_each():
    found = memory(planned(instance={"parallelism": "ddp"}))
    assert len({(device.moment, device.peak_allocated.expected) for device in found.devices}) == 1
    assert found.fullest.peak_allocated.expected == pytest.approx(21.6 * GB, rel=0.01)
    assert found.fullest.terms["gradient_buckets"] == found.fullest.terms["adapters"] == 2 * 134_217_728
    assert found.verdict == "fits"


def test_k_bit_preparation_doubles_what_lies_between_the_layers():
    plain, prepared = (
        memory(planned(instance={"parallelism": "ddp"}, sections=sections)).fullest.terms for sections in ({}, TRAINER)
    )
    # 64 inputs that were kept, and what attention makes of the one that is computed again
    assert prepared["layer_inputs"] == 2 * plain["layer_inputs"] == 65 * 4 * 5120 * 689
    assert prepared["embedding"] == 2 * plain["embedding"]


def test_single_leaves_the_other_gpus_empty():
    first, *others = memory(planned(instance={"parallelism": "single"})).devices
    assert first.peak_allocated.expected > 20 * GB
    assert all(not device.terms and device.process.expected == 0 for device in others)


def test_standard_loss_holds_all_logits():
    standard = memory(planned(tokens=(4096.0, 4096), instance={"parallelism": "ddp"}, sections=TRAINER))
    assert standard.fullest.moment == "loss"
    assert standard.fullest.terms["logits"] == 12 * 4096 * 152_064
    fused = memory(planned(tokens=(4096.0, 4096), instance={"parallelism": "ddp"}))
    assert fused.fullest.peak_allocated.expected < standard.fullest.peak_allocated.expected - 3 * GB


def test_full_fine_tuning_in_16_bits_peaks_at_ten_bytes_a_parameter():
    plan = planned("Qwen/Qwen2.5-7B", method=FULL, instance={"parallelism": "single", "type": "ml.p5.48xlarge"})
    found = memory(plan).fullest
    assert found.moment == "optimizer"
    beside = found.terms["inputs"]
    assert found.peak_allocated.expected == 10 * plan.trainable_parameters + beside
    assert beside < 1e6


def test_the_longest_row_decides_and_the_cap_limits_it():
    instance = {"parallelism": "ddp"}
    short, long, capped = (
        memory(planned(tokens=(374.0, most), instance=instance, max_length=cap)).fullest.peak_allocated.expected
        for most, cap in ((689, 4096), (4096, 4096), (4096, 689))
    )
    assert short == capped < long


def test_unknown_lengths_widen_the_peak():
    unknown = memory(planned(tokens=None, instance={"parallelism": "ddp"})).fullest.peak_allocated
    known = memory(planned(tokens=(4096.0, 4096), instance={"parallelism": "ddp"})).fullest.peak_allocated
    assert unknown.expected == known.expected
    assert unknown.low < 0.85 * known.low
    assert unknown.high == known.high


def test_eager_attention_pays_for_all_pairs():
    flash, eager = (
        memory(
            planned(tokens=(4096.0, 4096), attn_implementation=kernel, instance={"parallelism": "ddp"})
        ).fullest.peak_allocated.expected
        for kernel in ("flash_attention_2", "eager")
    )
    assert eager - flash > 40 * 4096**2 * 6


def test_zero_keeps_master_weights_in_fp32():
    plan = planned("Qwen/Qwen2.5-7B", method=FULL, instance={"parallelism": "zero3"})
    terms = memory(plan).fullest.terms
    eighth = -(-plan.trainable_parameters // 8)
    assert terms["master_weights"] == 4 * eighth
    assert terms["optimizer_states"] == 8 * eighth


def test_offloaded_weights_leave_what_is_gathered():
    plan = planned(method=LORA, instance={"parallelism": "zero3", "offload": "all"})
    terms = memory(plan).fullest.terms
    assert "linear_weights" not in terms
    assert terms["gathered_weights"] < 6 * GB


def test_does_not_fit_and_tight():
    small = {"type": "ml.g5.2xlarge", "parallelism": "single"}
    assert memory(planned(method=LORA, instance=small)).verdict == "does_not_fit"
    prepared = planned(instance={"parallelism": "ddp"}, tokens=(4096.0, 4096), sections=TRAINER)
    assert memory(prepared).verdict == "tight"


def test_unknown_memory_is_said():
    plan = planned(instance={"type": None, "gpu": "GB200", "gpus": 4, "parallelism": "ddp"})
    assert plan.hardware.gpu.usable_bytes is None
    assert memory(plan).verdict == "unknown"


def test_dictionary():
    found = memory(planned()).to_dict()
    device = found["devices"][1]
    assert found["verdict"] == "fits"
    assert sum(device["terms"].values()) == device["peak_allocated_bytes"]["expected"]
    assert all(
        isinstance(device[key][end], int)
        for key in ("peak_allocated_bytes", "process_bytes")
        for end in ("low", "high")
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optim": "galore_adamw"}, "galore_adamw"),
        ({"model": "someone/unheard-of"}, "catalog"),
        ({"instance": {"type": "ml.z9.large"}}, "ml.z9.large"),
        ({"target_modules": ["nowhere"]}, "no module of qwen2 has any of these names"),
    ],
)
def test_what_is_missing_is_named(changes, said):
    with pytest.raises(NotKnownError, match=said):
        memory(planned(**changes))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_no_moment_of_a_stage_holds_less_than_nothing(attention):
    """Autocast's copy of the head counted as the first layer's once: other stages had less of it than nothing."""
    job = job_of(planned(sections=TRAINER, gradient_checkpointing=False, attn_implementation=attention))
    for stage in pipeline_stages(job, 8):
        for moment in moments(job, stage, 689):
            assert all(size >= 0 for size in moment.terms.values()), moment.name


def test_a_job_that_trains_no_layer_keeps_nothing_of_them():
    plan = planned(sections=TRAINER, gradient_checkpointing=False, target_modules=["lm_head"])
    last = memory(plan).devices[5]
    assert last.moment == "loss"
    assert not last.terms.keys() & {"mlp", "attention", "norms", "layer_inputs"}


def test_what_is_expected_is_what_is_needed_not_what_there_is():
    """Tensors have room on the smaller GPU; the segments that the allocator needs for them have not.

    It gives free segments back before it fails, so that it needs less than it takes where it can.
    """
    small, large = (
        memory(
            planned(
                "Qwen/Qwen2.5-7B",
                instance={"type": None, "gpu": name, "gpus": 1},
                method=LORA,
                per_device_batch_size=4,
                tokens=(8800.0, 8800),
                max_length=8800,
            )
        ).fullest
        for name in ("A100-40", "A100-80")
    )
    assert small.peak_allocated.expected < small.usable < small.process.expected
    assert small.process.expected <= large.process.expected
    assert small.process.high <= large.process.high


def test_reentrant_int8_may_hold_what_it_holds_without_reentrance():
    """Published int8 runs held their inputs, though bitsandbytes drops them where a layer runs without a graph."""
    method = {"method": "qlora", "lora_r": 8, "bnb_quant_type": "int8", "target_modules": ["q_proj", "v_proj"]}
    dropped, kept = (
        memory(
            planned(
                "Qwen/Qwen2.5-7B",
                instance={"parallelism": "single"},
                method=method,
                sections=TRAINER,
                use_reentrant=reentrant,
            )
        ).fullest.peak_allocated
        for reentrant in (True, False)
    )
    assert dropped.expected < kept.expected <= dropped.high


def test_the_gpu_that_has_only_the_head_computes_the_loss():
    """16,384 tokens of 256,000 logits take 8.4 GB in bf16, on the GPU after the last layer as on any other."""
    job = job_of(planned("google/gemma-2-9b-it", sections=TRAINER, per_device_batch_size=4))
    alone, with_layers = Stage(42, 42, embedding=False, head=True), Stage(41, 42, embedding=False, head=True)
    losses = [
        max(moment.total for moment in moments(job, stage, 4096) if moment.name == "loss")
        for stage in (alone, with_layers)
    ]
    assert 8 * GB < losses[0] <= losses[1]


def test_each_gpu_of_a_full_fine_tune_trains_what_lies_on_it():
    job = job_of(planned("01-ai/Yi-1.5-6B", method=FULL, optim="adamw_torch"))
    stages = pipeline_stages(job, 8)
    assert [(stage.layers, stage.head) for stage in stages[5:7]] == [(5, False), (0, True)]
    held = [states_of(job, stage) for stage in stages]
    head = 64_000 * 4096
    assert held[6].gradients == 2 * head
    assert held[6].trained["optimizer_states"] == pytest.approx(4 * head, rel=0.001)
    assert sum(one.gradients for one in held) == 2 * job.trainable

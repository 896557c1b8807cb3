"""DeepSpeed's buffers, and what ZeRO-3 keeps gathered: DeepSpeed's own run, laws, and single numbers of its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import FULL, LORA, planned

from hbspec.catalog import catalog
from hbspec.catalog.adapters import adapter_tensors, lora_parameters
from hbspec.catalog.parameters import total_parameters, weights
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.deepspeed_host import offloaded_by_deepspeed
from hbspec.estimators.job.host import host
from hbspec.estimators.step.gathering import GatheredParameter, GatherStep, Limits, held
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.estimators.step.zero3 import layer_modules
from hbspec.estimators.training.memory import memory, memory_while_loading
from hbspec.plan.deepspeed import DeepSpeed, deepspeed, extremes
from hbspec.units import Interval

RECORDED = json.loads((Path(__file__).parent / "deepspeed_gathering.json").read_text())["runs"]
SEVEN = "Qwen/Qwen2.5-7B"
HIDDEN = 3584
SIZES = {
    "embed_tokens": 512 * 64, "lm_head": 512 * 64, "q_proj": 64 * 64, "k_proj": 32 * 64, "v_proj": 32 * 64,
    "o_proj": 64 * 64, "gate_proj": 160 * 64, "up_proj": 160 * 64, "down_proj": 160 * 64,
}  # fmt: skip


def zero(stage, settings=None, method=FULL, offload="none", **hyperparameters):
    """A job of a 7B on eight GPUs under ZeRO, with these settings of DeepSpeed."""
    plan = planned(
        SEVEN, method=method, instance={"parallelism": f"zero{stage}", "offload": offload}, **hyperparameters
    )
    written = deepspeed({"zero_optimization": settings or {}}, stage, HIDDEN)
    return plan._replace(deepspeed=written)


def states(plan):
    job = job_of(plan)
    return states_of(job, Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True))


def peak(plan):
    return memory(plan).fullest.peak_allocated.expected


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: f"{run['limits']}")
def test_what_is_gathered_is_what_deepspeed_gathered(run):
    parameters, numbers = [], {}
    steps = []
    for at, module in enumerate(run["modules"]):
        leaf = module.rpartition(".")[2]
        size = SIZES.get(leaf) or (64 if leaf.endswith("norm") else None)
        key = "model.embed_tokens" if leaf == "lm_head" and run["tied"] else module
        if size is not None and key not in numbers:
            numbers[key] = len(parameters)
            parameters.append(GatheredParameter(size, 2 * size, persists=size <= 100))
        own = (numbers[key],) if size is not None else ()
        steps.append(GatherStep(own, backward=at >= run["forward"]))
    assert [one.elements for one in held(parameters, steps, Limits(**run["limits"]))] == run["elements"]


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-7B", "Qwen/Qwen3-30B-A3B", "google/gemma-2-9b"])
def test_the_modules_of_all_layers_hold_every_weight_once(model):
    architecture = catalog().models[model].architecture
    inside = sum(one.parameters // one.count for layer in layer_modules(architecture) for part in layer for one in part)
    outside = sum(one.parameters for one in weights(architecture) if one.name in ("embed_tokens", "norm", "lm_head"))
    assert inside + outside == total_parameters(architecture)


@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj")])
def test_adapter_tensors_add_up(targets):
    architecture = catalog().models[SEVEN].architecture
    elements = sum(size * number for size, number in adapter_tensors(architecture, 16, targets).items())
    assert elements == lora_parameters(architecture, 16, targets)


BUCKETS = st.integers(10**6, 2 * 10**9)
STAGES = st.sampled_from([1, 2, 3])
METHODS = st.sampled_from([FULL, LORA])


class TestLaws:
    @given(stage=STAGES, small=BUCKETS, large=BUCKETS, method=METHODS)
    def test_a_larger_bucket_never_takes_less(self, stage, small, large, method):
        small, large = sorted((small, large))
        sizes = [peak(zero(stage, {"reduce_bucket_size": size}, method)) for size in (small, large)]
        assert sizes[0] <= sizes[1]

    @given(stage=STAGES, key=st.sampled_from(["stage3_max_live_parameters", "stage3_max_reuse_distance"]))
    def test_limits_of_stage_3_do_nothing_in_others(self, stage, key):
        few, many = (peak(zero(stage, {key: size})) for size in (0, 10**12))
        assert few <= many if stage == 3 else few == many

    @given(stage=STAGES, bucket=BUCKETS)
    def test_overlap_doubles_the_bucket_in_stages_1_and_2_only(self, stage, bucket):
        def bytes_of_buckets(overlap):
            found = states(zero(stage, {"reduce_bucket_size": bucket, "overlap_comm": overlap}))
            return found.computing.get("gradient_buckets", 0) + found.backward.get("gradient_buckets", 0)

        alone = bytes_of_buckets(overlap=False)
        assert alone == 2 * bucket
        assert bytes_of_buckets(overlap=True) == (alone if stage == 3 else 2 * alone)

    @given(small=st.integers(0, 10**6), large=st.integers(0, 10**6), method=METHODS)
    def test_a_higher_threshold_never_persists_less(self, small, large, method):
        small, large = sorted((small, large))
        kept = [
            states(zero(3, {"stage3_param_persistence_threshold": size}, method)).computing["persistent_parameters"]
            for size in (small, large)
        ]
        assert kept[0] <= kept[1]

    @given(stage=STAGES, method=METHODS)
    def test_auto_is_what_transformers_puts_in(self, stage, method):
        square = HIDDEN * HIDDEN
        keys = ("reduce_bucket_size", "stage3_prefetch_bucket_size", "stage3_param_persistence_threshold")
        numbers = (square, int(0.9 * square), 10 * HIDDEN)
        auto = zero(stage, dict.fromkeys(keys, "auto"), method)
        assert auto == zero(stage, dict(zip(keys, numbers, strict=True)), method)

    @given(stage=st.sampled_from([2, 3]), method=METHODS, accumulation=st.sampled_from([1, 4]))
    def test_wider_accumulation_never_takes_less(self, stage, method, accumulation):
        plan = zero(stage, {}, method, gradient_accumulation_steps=accumulation)
        wide = plan._replace(deepspeed=plan.deepspeed._replace(accumulation=4))
        assert peak(plan) <= peak(wide)


def test_the_bucket_is_as_large_whatever_is_trained():
    assert states(zero(2, method=LORA)).backward["gradient_buckets"] == 10**9


def test_two_micro_batches_hold_two_shares_in_stage_2():
    share = 2 * -(-total_parameters(catalog().models[SEVEN].architecture) // 8)
    one, two = (states(zero(2, gradient_accumulation_steps=number)) for number in (1, 2))
    assert (one.accumulated, one.backward["gradients"]) == (0, share)
    assert (two.accumulated, two.backward["gradients"]) == (share, share)


def test_an_update_takes_wide_gradients_and_the_optimizer_s_temporaries():
    share = -(-total_parameters(catalog().models[SEVEN].architecture) // 8)
    found = states(zero(2))
    assert found.gradients + found.updating == 8 * share
    fused = states(zero(2, optim="adamw_torch_fused"))
    assert fused.gradients + fused.updating == (2 + 2 + 4) * share


def test_a_sub_group_bounds_an_update_of_stage_3():
    whole, cut = (states(zero(3, {"sub_group_size": size})).updating for size in (10**10, 10**8))
    assert cut < whole / 4


def test_offload_moves_gradients_and_leaves_buckets():
    found = states(zero(3, offload="optimizer"))
    assert (found.gradients, found.accumulated, found.updating) == (0, 0, 0)
    assert found.staying["gradient_buckets"] == 10**9
    assert states(zero(2, offload="optimizer")).staying["offload_buffer"] == 2 * 152064 * HIDDEN


def test_about_max_live_parameters_are_gathered():
    found = states(zero(3))
    assert 2e9 <= found.backward["gathered_weights"] <= 2 * (1e9 + 2 * 152064 * HIDDEN)
    none = states(zero(3, {"stage3_max_live_parameters": 0, "stage3_max_reuse_distance": 0}))
    assert none.backward["gathered_weights"] == 2 * 152064 * HIDDEN


def test_zero_3_needs_more_than_fsdp_with_small_weights():
    sharded = {"method": LORA, "tokens": (64.0, 64)}
    fsdp = planned(SEVEN, instance={"parallelism": "fsdp"}, **sharded)
    assert peak(planned(SEVEN, instance={"parallelism": "zero3"}, **sharded)) > peak(fsdp)


@pytest.mark.parametrize(("transformers", "whole"), [("4.38.2", True), ("4.57.6", False), ("5.0.0", True)])
def test_whether_every_gpu_loads_all_of_it_depends_on_transformers(transformers, whole):
    plan = planned(SEVEN, instance={"parallelism": "zero3"}, sections={"software": {"transformers": transformers}})
    model, load = sum(job_of(plan).weights.values()), memory_while_loading(plan).peak_allocated
    assert load.low > model if whole else load.high < model / 2
    assert memory(plan).fullest.peak_allocated.low >= load.low
    held = 8 * job_of(plan).weights["quantized_weights"]
    moved = host(plan).terms.get("quantized_weights")
    assert moved == (None if whole else Interval.exact(held))


def test_a_script_whose_json_is_not_known_has_a_wider_interval():
    plan = zero(2)
    least, most = extremes(plan.deepspeed._replace(known=False), HIDDEN)
    assert (least.reduce_bucket, most.overlap) == (HIDDEN**2, True)
    found = memory(plan._replace(deepspeed=plan.deepspeed._replace(known=False))).fullest.peak_allocated
    known = memory(plan).fullest.peak_allocated
    assert found.low <= known.low <= known.high < found.high


def test_what_is_not_counted_is_said():
    plan = zero(3, {"zero_quantized_weights": True})
    with pytest.raises(NotKnownError, match="zero_quantized_weights"):
        memory(plan)


def test_wide_accumulation_in_stage_1_is_another_optimizer_of_deepspeed():
    settings = deepspeed({"data_types": {"grad_accum_dtype": "fp32"}}, 1, HIDDEN)
    assert settings.uncounted == ("data_types.grad_accum_dtype in stage 1",)


def test_four_bit_weights_on_the_host_are_as_many_bytes_as_on_a_gpu():
    plan = planned(SEVEN, instance={"parallelism": "zero3", "offload": "all"})
    offloaded = offloaded_by_deepspeed(plan, 1)["offloaded_weights"]
    weights = job_of(plan).weights
    assert weights["quantization_scales"] > 0
    moved = sum(weights.values()) - weights["quantization_scales"]
    assert offloaded.low == moved < total_parameters(plan.architecture)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, DeepSpeed()),
        ({"zero_optimization": {"reduce_bucket_size": 2e8}}, DeepSpeed(reduce_bucket=200_000_000)),
        ({"zero_optimization": {"offload_optimizer": {"device": "cpu"}}}, DeepSpeed(offload="optimizer")),
        ({"zero_optimization": {"cpu_offload": True}}, DeepSpeed(offload="optimizer")),
        ({"data_types": {"grad_accum_dtype": "fp32"}}, DeepSpeed(accumulation=4)),
        ({"optimizer": {"type": "AdamW", "params": {"lr": "auto"}}}, DeepSpeed(optimizer="adamw")),
        (
            {"zero_optimization": {"offload_param": {"device": "cpu"}, "offload_optimizer": {"device": "cpu"}}},
            DeepSpeed(offload="all"),
        ),
    ],
)
def test_settings(written, expected):
    assert deepspeed(written, 2, HIDDEN) == expected
    assert deepspeed(written, 3, HIDDEN) == expected._replace(overlap=True)

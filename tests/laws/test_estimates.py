"""Laws that hold for every plan: sums, monotony, exact arithmetic."""

from __future__ import annotations

from decimal import Decimal

from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st

from hbspec.catalog import catalog
from hbspec.estimators.job.cost import cost, hours, most_it_can_cost
from hbspec.estimators.job.time import time
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.profiled import batched_tokens
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import kept_bytes, peak_moment
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.training.memory import (
    is_replayed,
    memory,
    memory_verdict,
    memory_without_reserve,
    replays_of,
    tensors,
)
from hbspec.estimators.verdict import Verdict
from hbspec.plan import build_plan, build_serving_plan
from hbspec.spec import Spec
from hbspec.units import Interval

MODELS = sorted(name for name in catalog().models.originals() if catalog().models[name].architecture)
SERVED = [name for name in MODELS if catalog().models[name].architecture.serves]
"""The speed of serving linear attention, latent attention and Gemma 4 is not known."""
PARALLELISM = ["single", "ddp", "pipeline", "fsdp", "zero1", "zero2", "zero3"]
SHARDED = ["fsdp", "zero1", "zero2", "zero3"]
METHODS = {
    "qlora": {"method": "qlora", "lora_r": 16, "bnb_quant_type": "nf4"},
    "int8": {"method": "qlora", "lora_r": 8, "bnb_quant_type": "int8"},
    "lora": {"method": "lora", "lora_r": 16, "lora_dropout": 0.0},
    "full": {"method": "full"},
}
HYPERPARAMETERS = st.fixed_dictionaries(
    {
        "per_device_batch_size": st.integers(1, 16),
        "gradient_accumulation_steps": st.integers(1, 32),
        "gradient_checkpointing": st.booleans(),
        "attn_implementation": st.sampled_from(["eager", "sdpa", "flash_attention_2"]),
        "optim": st.sampled_from(["adamw_torch", "adamw_torch_fused", "paged_adamw_8bit", "adafactor", "sgd"]),
        "packing": st.booleans(),
    }
)
JOBS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "method": st.sampled_from(sorted(METHODS)),
        "parallelism": st.sampled_from(PARALLELISM),
        "gpus": st.sampled_from([1, 2, 4, 8]),
        "trainer": st.sampled_from(["trl", "transformers"]),
        "hyperparameters": HYPERPARAMETERS,
    }
)


def kernel(job):
    """Flash attention, but for heads that it does not compute."""
    found, asked = (
        catalog().models[job["model"]].architecture,
        job["hyperparameters"].get("attn_implementation", "sdpa"),
    )
    wide = found.latent_attention is not None or found.global_heads is not None
    return "sdpa" if wide and asked == "flash_attention_2" else asked


def planned(job, *, longest=700, mean=None, offload=None, rank=None, deployment=None, instance=(), software=(), **more):
    hyperparameters = {
        "learning_rate": 1e-4,
        "max_length": 4096,
        "max_steps": 100,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "query_key_value", "c_attn", "Wqkv"],
        **METHODS[job["method"]],
        **job["hyperparameters"],
        "attn_implementation": kernel(job),
        **more,
    }
    if rank:
        hyperparameters["lora_r"] = rank
    if job["method"] == "full":
        del hyperparameters["target_modules"]
    values = {
        "hbspec": 1,
        "name": "law",
        "model": {"id": job["model"]},
        "data": {"train": {"examples": 2198}, "tokens": {"mean": mean or max(1, longest / 2), "max": longest}},
        "instance": {
            "gpu": "A100-80",
            "gpus": job["gpus"],
            "parallelism": job["parallelism"],
            "price": "36 CAD/h",
            "max_runtime": "10h",
        },
        # of one dtype everywhere: FSDP alone would train fp32 copies
        "software": {
            "trainer": job["trainer"],
            **({"weights_dtype": "bfloat16"} if job["method"] == "full" else {}),
            **dict(software),
        },
        "hyperparameters": hyperparameters,
    }
    values["instance"].update(instance)
    if offload:
        values["instance"]["offload"] = offload
    if deployment:
        values["deployment"] = deployment
    spec, architecture = Spec.model_validate(values), catalog().models[job["model"]].architecture
    plan = build_plan(spec, catalog(), architecture, None)
    return build_serving_plan(spec, catalog(), architecture, None, 100.0) if deployment else plan


def kept(plan):
    """What all layers leave for the backward pass."""
    job = job_of(plan)
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    return kept_bytes(job, whole, 512)


def after_loading(plan):
    """The most in a step: FSDP may need more to shard what is quantised than to train it."""
    job = job_of(plan)
    return peak_moment(job, Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True), 700).total


def allocated(plan):
    return max(found.peak.expected for found in tensors(plan))


@given(JOBS, st.sampled_from(["none", "optimizer", "all"]))
@examples(150)
def test_terms_are_whole_and_sum_to_the_peak(job, offload):
    for found in tensors(planned(job, offload=offload)):
        assert all(type(size) is int and size >= 0 for size in found.moment.terms.values())
        assert sum(found.moment.terms.values()) == found.peak.expected


@given(JOBS)
@examples(40)
def test_a_process_holds_more_than_its_tensors(job):
    for device in memory(planned(job)).devices:
        assert device.process.low >= device.peak_allocated.low
        assert device.process.expected >= device.peak_allocated.expected
        assert device.process.high >= device.peak_allocated.high


@given(JOBS, st.sampled_from(["none", "optimizer", "all"]), st.sampled_from([700, 20_000, 60_000, 100_000]))
@examples(30)
def test_the_verdict_is_that_of_the_memory(job, offload, longest):
    plan = planned(job, offload=offload, longest=longest, max_length=longest)
    found, bare = memory(plan), memory_without_reserve(plan)
    assert memory_verdict(plan) is found.verdict
    if bare is not None:
        assert bare.verdict is found.verdict is Verdict.DOES_NOT_FIT
        for one, other in zip(bare.devices, found.devices, strict=True):
            assert (one.needed, one.terms, one.moment) == (other.needed, other.terms, other.moment)
            assert one.process.low <= other.process.low
            assert one.process.expected <= other.process.expected


EXPERTS = {
    "model": "deepseek-ai/DeepSeek-V2-Lite",
    "method": "lora",
    "parallelism": "fsdp",
    "gpus": 2,
    "trainer": "trl",
    "hyperparameters": {"per_device_batch_size": 1, "gradient_accumulation_steps": 1, "optim": "adamw_torch"},
}
"""A job whose gathered layers are far larger than all that comes and goes."""


@given(JOBS, st.integers(20, 1500), st.sampled_from([1, 1.5, 3, 10]))
@example(EXPERTS, 20, 1)
@example({**EXPERTS, "method": "int8"}, 20, 1)
@example({**EXPERTS, "model": "Qwen/Qwen3.5-397B-A17B"}, 20, 1)
@examples(25)
def test_no_process_reserves_more_than_the_most_that_is_told_without_a_replay(job, mean, spread):
    longest = int(mean * spread)
    plan = planned(job, mean=mean, longest=longest, max_length=longest)
    unlimited = plan.hardware._replace(gpu=plan.hardware.gpu._replace(usable_bytes=None))
    if is_replayed(job_of(plan)):
        for found in replays_of(plan._replace(hardware=unlimited)):
            assert found.reserved().high - found.unknown <= min(found.bounds())


@given(JOBS, st.sampled_from(SHARDED), st.sampled_from(["none", "optimizer", "all"]))
def test_more_shards_never_need_more(job, parallelism, offload):
    """From two on: one GPU gathers nothing, which is more than half of a small model's weights less."""
    needed = [
        allocated(planned({**job, "parallelism": parallelism, "gpus": gpus}, offload=offload)) for gpus in (2, 4, 8)
    ]
    assert needed == sorted(needed, reverse=True)


@given(JOBS, st.integers(1, 4096), st.integers(1, 4096))
def test_longer_rows_never_need_less(job, one, other):
    shorter, longer = sorted([one, other])
    assert allocated(planned(job, longest=shorter)) <= allocated(planned(job, longest=longer))


@given(JOBS, st.integers(1, 32), st.integers(1, 32))
def test_larger_micro_batches_never_need_less(job, one, other):
    smaller, larger = sorted([one, other])
    assert allocated(planned(job, per_device_batch_size=smaller)) <= allocated(
        planned(job, per_device_batch_size=larger)
    )


@given(JOBS, st.integers(1, 256), st.integers(1, 256))
def test_higher_rank_never_needs_less(job, one, other):
    lower, higher = sorted([one, other])
    if job["method"] != "full":
        assert allocated(planned(job, rank=lower)) <= allocated(planned(job, rank=higher))


@given(JOBS)
def test_sharding_and_checkpointing_never_need_more(job):
    without, with_it = (planned(job, gradient_checkpointing=flag) for flag in (False, True))
    assert kept(with_it) <= kept(without)
    # a layer that is computed again alone, or behind all others, has its input and its mask on top
    again = job_of(with_it)
    masks = max(found.moment.terms.get("masks", 0) for found in tensors(with_it))
    inputs = again.precision.stream * again.architecture.hidden_size * with_it.training.micro_batch * 700
    assert allocated(with_it) <= allocated(without) + masks + inputs
    plain = after_loading(planned({**job, "parallelism": "ddp"}))
    assert after_loading(planned({**job, "parallelism": "fsdp"})) <= plain


@given(JOBS, st.floats(1, 4096), st.floats(1, 4096))
def test_time_grows_with_tokens(job, one, other):
    plan = planned({**job, "hyperparameters": {**job["hyperparameters"], "packing": False}})
    shorter, longer = (plan._replace(padded_row_tokens=Interval.exact(tokens)) for tokens in sorted([one, other]))
    assert time(shorter).step_seconds.expected <= time(longer).step_seconds.expected
    assert time(shorter).total_seconds.high <= time(longer).total_seconds.high


@given(JOBS)
def test_time_is_the_sum_of_its_phases(job):
    found = time(planned(job))
    assert found.total_seconds == sum(found.phases.values(), Interval.exact(0))
    assert found.billed_seconds.high <= found.total_seconds.high
    assert found.tokens_per_second_per_gpu.low > 0


@given(JOBS, st.integers(1, 20))
def test_cost_is_the_rate_times_the_hours(job, instances):
    plan = planned(job)
    took = time(plan)
    plan = plan._replace(hardware=plan.hardware._replace(instances=instances))
    bill = cost(plan, took)
    for end in ("low", "expected", "high"):
        assert getattr(bill, end) == hours(getattr(took.billed_seconds, end)) * 36 * instances
        assert getattr(bill, end) == sum(getattr(item, end) for item in bill.items)
    assert most_it_can_cost(plan).amount == Decimal(360) * instances


@given(
    st.sampled_from(SERVED),
    st.sampled_from(["none", "nf4", "int8", "awq", "gptq", "fp8"]),
    st.integers(1, 64),
    st.integers(1, 8192),
    st.sampled_from(["ml.g5.2xlarge", "ml.p4d.24xlarge", "ml.g6e.xlarge"]),
)
@example("google/gemma-2-27b", "none", 1, 4097, "ml.g5.2xlarge")
def test_endpoints(model, quantization, concurrency, length, instance_type):
    values = {"quantization": quantization, "concurrency": concurrency, "max_model_len": length}
    job = {**ANY_JOB, "model": model}
    plan = planned(job, deployment={**values, "instance": {"type": instance_type, "price": "2 USD/h"}})
    found = serving(plan)
    assert sum(found.terms.values()) == found.memory.expected
    held = concurrency * length * found.kv_bytes_per_token
    window = plan.architecture.sliding_window
    windowed = window is not None and length > window - 1 + batched_tokens(plan)
    assert (found.kv_bytes_needed < held) if windowed else (found.kv_bytes_needed == held)
    assert found.daily_cost.amount == 24 * found.hourly_cost.amount
    assert found.monthly_cost.amount == 30 * found.daily_cost.amount
    assert found.largest_concurrency * found.kv_bytes_needed <= concurrency * found.budget
    more = serving(plan._replace(concurrency=concurrency + 1))
    assert more.memory.expected > found.memory.expected


ANY_JOB = {
    "model": MODELS[0],
    "method": "lora",
    "parallelism": "single",
    "gpus": 1,
    "trainer": "trl",
    "hyperparameters": {"per_device_batch_size": 1},
}


@given(JOBS, st.integers(1, 64), st.integers(1, 64))
@examples(40)
def test_larger_evaluations_never_need_less(job, one, other):
    plan = planned(job)
    fewer, more = (
        allocated(plan._replace(training=plan.training._replace(eval_batch=batch))) for batch in sorted((one, other))
    )
    assert allocated(plan) <= fewer <= more

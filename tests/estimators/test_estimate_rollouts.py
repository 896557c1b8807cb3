"""Memory and time of GRPO: what generation, scoring and a vLLM take, and how they follow from the settings."""

from __future__ import annotations

import pytest
from planned import planned

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.rollouts import rolled_of_an_update
from hbspec.estimators.job.stop import stop
from hbspec.estimators.job.time import time
from hbspec.estimators.serving.decoding import step_of
from hbspec.estimators.serving.generating import engine_room, generating_plan
from hbspec.estimators.training.by_moment import by_moment
from hbspec.estimators.training.memory import memory
from hbspec.plan.rollouts import COLOCATED

MODEL = "Qwen/Qwen2.5-1.5B-Instruct"
LORA = {"method": "lora", "lora_r": 16, "lora_alpha": 32.0, "lora_dropout": 0.0}
P4D = {"type": "ml.p4d.24xlarge", "parallelism": "ddp"}
VLLM = {"use_vllm": True, "vllm_max_model_length": 1024}


def rolling(*, parallelism="ddp", method=None, validation=0, prompts=(100, 400), **settings):
    """The plan of a job whose prompts have 100 tokens on average, and 400 at most."""
    tokens = {"mean": prompts[0], "max": prompts[1]}
    data = {"type": "prompt_only", "train": {"examples": 1000}, "tokens": tokens}
    if validation:
        data["validation"] = {"examples": validation}
    sections = {"task": "grpo", "data": data, "script": {"source_dir": ".", "entry_point": "train.py"}}
    settings = {"per_device_batch_size": 4, "gradient_accumulation_steps": 4, "max_length": 1024, **settings}
    instance = {"type": "ml.p4d.24xlarge", "parallelism": parallelism}
    return planned(MODEL, instance=instance, method=method or LORA, sections=sections, tokens=None, **settings)


def moments(plan):
    """The largest of each name."""
    return {one.name: one for one in by_moment(plan)[0]}


@pytest.fixture(scope="module")
def usual():
    return rolling()


def test_the_cache_holds_all_that_a_process_generates_together():
    short = rolling(prompts=(8, 8))
    found = moments(short)
    # 16 rows of 520 tokens: 28 layers with 2 heads of 128 keys and values, in 16 bits
    assert found["generation"].terms["key_value_cache"] == 16 * 520 * 2 * 28 * 256 * 2
    twice = moments(rolling(prompts=(8, 8), gradient_accumulation_steps=8))
    assert twice["generation"].total > found["generation"].total
    assert twice["recompute"].total == pytest.approx(found["recompute"].total, rel=0.001)


def test_prompts_are_read_at_once(usual):
    found = moments(usual)["generation"]
    assert found.terms["key_value_cache"] == 16 * 400 * 2 * 28 * 256 * 2
    assert found.terms["mlp"] > 16 * 400 * 8960 * 2


def test_zero_3_gathers_the_whole_model_for_a_generation():
    found = moments(rolling(parallelism="zero3", method={"method": "full"}))
    assert found["generation"].terms["gathered_weights"] > 2 * 1.54e9
    assert found["generation"].terms["gathered_weights"] > found["recompute"].terms["gathered_weights"]


def test_a_colocated_vllm_takes_its_share_and_asleep_only_while_it_generates(usual):
    awake, asleep = rolling(**VLLM), rolling(**VLLM, vllm_enable_sleep_mode=True)
    share = round(0.3 * awake.hardware.gpu.usable_bytes)
    for name in ("generation", "scoring", "recompute", "optimizer"):
        assert moments(awake)[name].terms["vllm_engine"] == share
        assert moments(asleep)[name].terms.get("vllm_engine", 0) == (share if name == "generation" else 0)
    assert memory(asleep).fullest.process.expected < memory(awake).fullest.process.expected
    # its graphs may come on top of its share
    width = memory(awake).fullest.peak_allocated, memory(usual).fullest.peak_allocated
    assert width[0].high - width[0].expected > width[1].high - width[1].expected + 1.2 * 2**30


def test_zero_3_gathers_the_whole_model_to_merge_its_adapters_for_vllm():
    server = {"use_vllm": True, "vllm_mode": "server"}
    for settings in (VLLM, server):
        found = moments(rolling(parallelism="zero3", **settings))
        assert found["generation"].terms["gathered_weights"] > 2 * 1.54e9
    assert "generation" not in moments(rolling(parallelism="zero3", method={"method": "full"}, **server))


def test_a_server_leaves_memory_to_training_and_its_time_is_not_known():
    plan = rolling(use_vllm=True, vllm_mode="server")
    assert "generation" not in moments(plan)
    with pytest.raises(NotKnownError, match="vLLM's server"):
        time(plan)


def test_an_engine_s_room_is_shared_by_the_gpus_that_share_its_model():
    one, four = rolling(**VLLM), rolling(**VLLM, vllm_tensor_parallel_size=4)
    alone, shared = (engine_room(plan, plan.training.rollouts) for plan in (one, four))
    assert alone.share == shared.share
    assert alone.weights == pytest.approx(4 * shared.weights, abs=4)
    assert (alone.window, alone.cache) == (1024, alone.share - alone.weights)


def test_no_generation_is_faster_than_its_weights_and_cache_are_read(usual):
    for plan in (usual, rolling(**VLLM)):
        rollouts = plan.training.rollouts
        least = step_of(generating_plan(plan, rollouts, 16), 400, 16).least * 32
        assert rolled_of_an_update(plan)["generation"].low >= least
        assert (rollouts.engine == COLOCATED) == plan.training.rollouts.old


def test_an_update_waits_for_generation_and_scoring(usual):
    scored = time(rolling(num_iterations=2, beta=0.04))
    found = time(usual)
    assert found.rolled["scoring"].high == 0
    assert scored.rolled["scoring"].expected > 0
    # the same completions are trained on twice
    assert scored.rolled["generation"].expected == pytest.approx(found.rolled["generation"].expected / 2)
    for one in (found, scored):
        parts = sum(took.expected for took in one.rolled.values())
        assert parts < one.step_seconds.expected
    longer = time(rolling(max_completion_length=2048, max_length=4096))
    assert longer.rolled["generation"].high > 3 * found.rolled["generation"].high


def test_a_validation_example_is_generated_from_as_often_as_a_prompt(usual):
    found = time(rolling(validation=64, eval_steps=100))
    assert found.phases["evaluation"].expected > 3 * found.rolled["generation"].expected
    assert "evaluation" not in time(usual).phases


def test_a_stop_may_wait_for_a_whole_generation(usual):
    assert stop(usual).micro_batch.high > time(usual).rolled["generation"].high


def test_every_gpu_of_the_catalog_is_answered(usual):
    """Not a crash, whatever of a GPU is known."""
    for gpu in ("T4", "H100-80", "MI300X"):
        hardware = usual.hardware._replace(gpu=catalog().gpus[gpu])
        assert memory(usual._replace(hardware=hardware)).fullest.process.high > 0

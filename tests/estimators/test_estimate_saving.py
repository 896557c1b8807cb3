"""Memory while a job saves, resumes and merges, on GPU, host and disk."""

from __future__ import annotations

import pytest
from planned import planned

from hbspec.catalog.parameters import total_parameters
from hbspec.estimators.job.host import host
from hbspec.estimators.job.storage import storage
from hbspec.estimators.training.memory import memory
from hbspec.units import Interval

SEVEN = "Qwen/Qwen2.5-7B"
LORA, FULL = {"method": "lora"}, {"method": "full"}


def on_a100s(parallelism, method, *, software=(), instance=(), **more):
    place = {"type": None, "gpu": "A100-40", "gpus": 4, "parallelism": parallelism, **dict(instance)}
    sections = {"software": dict(software)} if software else {}
    return planned(SEVEN, instance=place, method=method, sections=sections, **more)


def test_before_4_31_every_gpu_may_have_gathered_the_whole_model_to_save_it():
    """LLaVA's 7B trained on four A100 of 40 GB and ran out of memory in its save; FastChat's script saves by itself."""
    old = {"trainer": "transformers", "transformers": "4.28.1", "accelerate": "0.18.0"}
    before, since = (
        memory(on_a100s("fsdp", FULL, software={**old, "transformers": version})).fullest
        for version in ("4.28.1", "4.31.0")
    )
    parameters = total_parameters(on_a100s("fsdp", FULL).architecture)
    assert before.peak_allocated.expected == since.peak_allocated.expected
    assert before.peak_allocated.high > since.peak_allocated.high
    assert before.peak_allocated.high > 4 * parameters + before.terms["optimizer_states"]


def test_the_first_rank_of_fsdp_holds_the_model_then_the_optimizer():
    full, adapters = (host(on_a100s("fsdp", method)).moments["save"]["state_dict"] for method in (FULL, LORA))
    plan = on_a100s("fsdp", LORA)
    parameters = total_parameters(plan.architecture)
    assert full == Interval.exact(8 * parameters)  # two moments of fp32, above the 4 bytes of a parameter
    assert adapters.expected >= 2 * parameters  # frozen weights too


def test_every_rank_of_zero_2_copies_the_16_bit_model():
    plan = on_a100s("zero2", FULL)
    assert host(plan).moments["save"]["state_dict"] == Interval.exact(4 * 2 * total_parameters(plan.architecture))


@pytest.mark.parametrize("gathers", [False, True])
def test_zero_3_gathers_where_its_settings_say_so(gathers):
    plan = on_a100s("zero3", FULL)
    plan = plan._replace(deepspeed=plan.deepspeed._replace(gathers_on_save=gathers))
    gathered = host(plan).moments["save"].get("state_dict", Interval.exact(0))
    assert gathered == Interval.exact(2 * total_parameters(plan.architecture) * gathers)


def test_a_file_is_on_the_host_whole():
    new, old = (
        host(on_a100s("ddp", FULL, software={"transformers": version})).moments["save"]["state_dict"].expected
        for version in ("5.23.0", "4.57.0")
    )
    model = 2 * total_parameters(on_a100s("ddp", FULL).architecture)
    assert (new, old) == (model, 5e9)


def test_every_process_of_fsdp_1_reads_the_whole_checkpoint_again():
    def resumed(version):
        spot = {"fsdp_version": version, "spot": True}
        found = host(on_a100s("fsdp", FULL, instance=spot, save_steps=50)).moments["resume"]
        return found["state_dict"].expected

    parameters = total_parameters(on_a100s("fsdp", FULL).architecture)
    assert resumed(1) == 4 * 4 * parameters
    assert resumed(2) == 8 * parameters
    assert "state_dict" not in host(on_a100s("fsdp", FULL, save_steps=50)).moments["resume"]


def test_a_merge_may_take_the_16_bit_model_on_the_host_and_takes_it_on_disk():
    plan = on_a100s("ddp", LORA, save_steps=50)._replace(merges=True)
    model = 2 * total_parameters(plan.architecture)
    assert host(plan).moments["merge"]["merged_weights"] == Interval(0, model, model)
    apart, merged = (
        storage(one, volume=None, kept=1).terms["result"].low for one in (plan._replace(merges=False), plan)
    )
    assert merged - apart == model


def test_an_own_loop_may_save_in_another_way():
    loop = host(on_a100s("fsdp", FULL, software={"trainer": "loop"})).moments["save"]["state_dict"]
    trainer = host(on_a100s("fsdp", FULL, software={"trainer": "transformers"})).moments["save"]["state_dict"]
    assert (loop.low, trainer.low == trainer.expected) == (0, True)

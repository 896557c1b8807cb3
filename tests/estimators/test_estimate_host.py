"""Memory of the host: what is loaded where, and what is offloaded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import FULL, LORA, planned

from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.host import PROCESS, Host, host
from hbspec.units import GIB, Interval

SMALL = "Qwen/Qwen2.5-7B"
SHARDED = ["fsdp", "zero1", "zero2", "zero3"]


def on_p4d(parallelism, method, model=SMALL, **instance):
    """The host of a job on eight A100 with 1,152 GiB beside them."""
    return host(planned(model, instance={"parallelism": parallelism, **instance}, method=method))


def test_each_process_counts():
    one, eight = on_p4d("single", LORA), on_p4d("ddp", LORA)
    assert one.terms["processes"] == PROCESS
    assert eight.terms["processes"] == PROCESS * 8
    assert eight.capacity == 1152 * GIB


def test_weights_on_their_way_to_a_gpu_are_a_few_tensors():
    embedding = 152_064 * 3584 * 2
    assert on_p4d("ddp", LORA).terms["tensors_on_the_way"] == Interval(0, 8 * embedding, 4 * 8 * embedding)
    quantised = on_p4d("fsdp", {"method": "qlora"})
    assert quantised.terms["tensors_on_the_way"] == Interval(0, 8 * embedding, 8 * embedding)


def test_every_process_of_zero_2_may_copy_the_whole_checkpoint():
    plan = planned(SMALL, instance={"parallelism": "zero2"}, method=LORA)
    weights = 2 * total_parameters(plan.architecture)
    assert host(plan).terms["weights"] == Interval(0, weights, 8 * weights)


def test_one_process_of_zero_3_reads():
    plan = planned(SMALL, instance={"parallelism": "zero3"}, method=LORA)
    weights = 2 * total_parameters(plan.architecture)
    assert host(plan).terms["weights"] == Interval(0, weights, weights)


def test_every_process_of_fsdp_widens_what_is_trained():
    plan = planned(SMALL, instance={"parallelism": "fsdp"}, method=FULL)
    parameters = total_parameters(plan.architecture)
    assert host(plan).terms["weights"] == Interval(0, 2 * parameters, 8 * 2 * parameters)
    assert host(plan).terms["fp32_copies"] == Interval(4 * parameters, 8 * 4 * parameters, 8 * 4 * parameters)
    assert "fp32_copies" not in on_p4d("fsdp", LORA).terms


def test_a_cast_while_loading_is_certainly_a_copy():
    plan = planned(
        SMALL, instance={"parallelism": "zero2"}, method=LORA, sections={"software": {"weights_dtype": "float32"}}
    )
    assert host(plan).terms["weights"].low == 8 * 4 * total_parameters(plan.architecture)


@pytest.mark.parametrize(("offload", "bytes_each"), [("optimizer", (12, 16, 24)), ("all", (14, 18, 27))])
def test_offloaded_states_take_so_many_bytes_a_parameter(offload, bytes_each):
    plan = planned(SMALL, instance={"parallelism": "zero3", "offload": offload}, method=FULL)
    found = host(plan)
    offloaded = found.memory.expected - found.terms["processes"].expected
    parameters = total_parameters(plan.architecture)
    assert found.moment == "steps"
    assert offloaded == bytes_each[1] * parameters
    assert found.memory.low == 8 * PROCESS.low + bytes_each[0] * parameters
    assert found.memory.high == 8 * PROCESS.high + bytes_each[2] * parameters


def test_two_hosts_share_what_is_offloaded():
    one = on_p4d("zero3", FULL, offload="optimizer")
    two = on_p4d("zero3", FULL, offload="optimizer", count=2)
    assert two.terms["offloaded_optimizer"] * 2 == one.terms["offloaded_optimizer"]


@pytest.mark.parametrize(
    ("capacity", "verdict"), [(None, "unknown"), (9, "does_not_fit"), (10, "tight"), (29, "tight"), (30, "fits")]
)
def test_verdicts(capacity, verdict):
    found = Host("load", {}, Interval(10, 20, 30), capacity)
    assert found.verdict == verdict
    assert found.to_dict()["verdict"] == verdict


def test_nothing_is_guessed_without_an_architecture():
    with pytest.raises(NotKnownError, match="not in the catalog"):
        host(planned("some/model-7B"))


@given(
    st.sampled_from(["single", "pipeline", "ddp", *SHARDED]),
    st.sampled_from([LORA, FULL, {"method": "qlora"}]),
    st.sampled_from(["none", "optimizer", "all"]),
)
def test_the_interval_holds_the_sum_of_its_terms(parallelism, method, offload):
    found = on_p4d(parallelism, method, offload=offload if parallelism in SHARDED else "none")
    total = sum(found.terms.values(), Interval.exact(0))
    assert found.memory.expected == total.expected
    assert found.memory.low >= total.low
    assert found.memory.high >= total.high


@given(st.sampled_from(SHARDED), st.sampled_from([LORA, FULL]))
def test_offloading_more_never_takes_less_of_the_host(parallelism, method):
    ends = [on_p4d(parallelism, method, offload=offload).memory for offload in ("none", "optimizer", "all")]
    for less, more in pairwise(ends):
        assert more.low >= less.low
        assert more.expected >= less.expected
        assert more.high >= less.high

"""Laws of FSDP's memory, for every model, method and version."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from test_estimates import JOBS, METHODS, planned

from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.estimators.training.memory import memory_while_loading, tensors
from hbspec.units import Interval

SOFTWARE = st.sampled_from(
    [
        {"transformers": "4.38.2", "accelerate": "0.27.0"},
        {"transformers": "4.40.0", "accelerate": "0.29.3"},
        {"transformers": "4.57.6", "accelerate": "1.10.1"},
        {"transformers": "5.23.0", "accelerate": "1.15.0"},
    ]
)
FSDP = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 2]), "software": SOFTWARE, "storage": st.sampled_from(["uint8", "bfloat16"])}
)


def under(fsdp, job, *, instance=(), **more):
    """The plan of a job under FSDP."""
    if METHODS[job["method"]].get("bnb_quant_type") == "nf4":
        more["bnb_4bit_quant_storage"] = fsdp["storage"]
    own = {"fsdp_version": fsdp["version"], **dict(instance)}
    return planned({**job, "parallelism": "fsdp"}, instance=own, software=fsdp["software"], **more)


def needed(plan):
    """The most that any GPU's tensors take over the whole job: each end by itself, as different moments may decide."""
    peaks = [found.peak for found in tensors(plan)]
    return Interval(*(max(getattr(peak, end) for peak in peaks) for end in ("low", "expected", "high")))


@given(JOBS, FSDP)
def test_reducing_every_micro_batch_never_needs_more(job, fsdp):
    held, reduced = needed(under(fsdp, job)), needed(under(fsdp, job, sync_each_batch=True))
    assert reduced.expected <= held.expected
    assert reduced.high <= held.high


@given(JOBS, FSDP)
def test_freeing_gathered_weights_never_needs_more(job, fsdp):
    freed = needed(under(fsdp, job))
    kept = needed(under(fsdp, job, instance={"reshard_after_forward": False}))
    assert freed.expected <= kept.expected


@given(JOBS, FSDP, st.booleans())
def test_offloading_never_needs_more_of_the_gpu(job, fsdp, sync):
    more = {"sync_each_batch": sync}
    ends = [needed(under(fsdp, job, instance={"offload": offload}, **more)) for offload in ("none", "optimizer", "all")]
    assert ends[0].expected >= ends[1].expected >= ends[2].expected


@given(JOBS, FSDP)
def test_more_ranks_do_not_help_to_load_what_is_whole(job, fsdp):
    """From two on: one rank shards nothing."""
    plans = [under(fsdp, {**job, "gpus": gpus}) for gpus in (2, 4, 8)]
    loads = [memory_while_loading(plan).peak_allocated for plan in plans]
    assert [load.high for load in loads] == sorted((load.high for load in loads), reverse=True)
    whole, known = sum(job_of(plans[-1]).weights.values()), plans[-1].fsdp.loads_whole
    assert known is False or loads[-1].high > whole
    assert not known or loads[-1].expected > whole


@given(JOBS, FSDP)
def test_offloaded_gradients_are_not_on_the_gpu(job, fsdp):
    plan = job_of(under(fsdp, job, instance={"offload": "all"}, sync_each_batch=True))
    states = states_of(plan, Stage(0, plan.architecture.num_hidden_layers, embedding=True, head=True))
    assert (states.gradients, states.accumulated) == (0, 0)

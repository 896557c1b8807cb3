"""Laws of kernels that save memory: they never need more than what they replace."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from laws.test_estimates import JOBS, planned

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.host import host
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.lifetimes.kinds import program_profile
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.offloaded import in_flight
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import program_at, row_tokens
from hbspec.estimators.step.uncounted import LIGER
from hbspec.plan import Plan


def peak(plan: Plan) -> int:
    """Bytes of the largest moment, at any of which a job may run out, with all layers on one GPU."""
    job = job_of(plan)
    layers = job.architecture.num_hidden_layers
    return max(moment.total for moment in moments(job, Stage(0, layers, embedding=True, head=True), 700))


def under_way(plan: Plan) -> int:
    """Bytes that stay on the GPU while they are copied to the host."""
    job = job_of(plan)
    program, n = program_at(job, 700), 700 * plan.training.micro_batch
    profile = program_profile(job.architecture, program)
    return in_flight(profile, program, job.architecture.num_hidden_layers, n, row_tokens(job, 700))


@examples(25)
@given(JOBS)
def test_losses_in_place_need_no_more_than_the_standard_loss(job) -> None:
    in_place, shifted, standard = (
        peak(planned(job, loss=loss)) for loss in ("in_place", "in_place_shifted", "standard")
    )
    assert in_place <= shifted <= standard


@examples(25)
@given(JOBS)
def test_offloaded_activations_need_no_more_on_the_gpu_and_no_less_on_the_host(job) -> None:
    offloaded, plain = (planned(job, activation_offloading=moves, loss="standard") for moves in (True, False))
    assert peak(offloaded) <= peak(plain) + under_way(offloaded)
    assert host(offloaded).memory.expected > host(plain).memory.expected or host(plain).moment == "load"
    assert host(offloaded).memory.low >= host(plain).memory.low


@examples(25)
@given(JOBS, st.sampled_from(["standard", "in_place", "fused"]))
def test_liger_needs_no_more_than_the_modules_that_it_replaces(job, loss) -> None:
    liger, plain = (planned(job, loss=loss, liger=liger) for liger in (True, False))
    architecture = plain.require("architecture")
    if architecture.model_type not in LIGER:
        with pytest.raises(NotKnownError, match="Liger"):
            job_of(liger)
        return
    if architecture.moe_layers or liger.training.liger_head:
        return  # Liger's head replaces no module: TRL's tiles are another way of not holding all logits
    assert peak(liger) <= peak(plain)

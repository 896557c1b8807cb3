"""What ranks and the host exchange in a micro-batch and an update."""

from __future__ import annotations

import pytest
from planned import FULL, LORA, planned

from hbspec.estimators.constants import HOST_THREAD_BYTES_PER_SECOND
from hbspec.estimators.step.communication import link, network, ring_bytes
from hbspec.estimators.step.duration import micro_batch, update
from hbspec.estimators.step.exchange import hooked_units
from hbspec.estimators.step.job import job_of

LLAMA, PARAMETERS = "meta-llama/Llama-3.1-8B", 8.03e9
LAYERS = 32
FSDP1 = {"parallelism": "fsdp", "fsdp_version": 1}


def full(instance, **more):
    return planned(LLAMA, method=FULL, instance=instance, **more)


def seconds(plan, bytes_sent, collectives):
    return link(plan.hardware, 8).seconds(bytes_sent, collectives).expected


def test_weights_are_gathered_in_the_compute_dtype():
    """FSDP's mixed precision shards float32 weights and gathers bfloat16 ones, forward and back, and reduces once."""
    plan = full({"parallelism": "fsdp"}, sync_each_batch=True)
    assert plan.training.weights_dtype == "float32"
    sent = 3 * ring_bytes(2 * PARAMETERS, 8)
    assert micro_batch(plan, 512).sent.expected == pytest.approx(seconds(plan, sent, 3 * (LAYERS + 1)), rel=0.01)


def test_fsdp1_gathers_again_what_reentrant_checkpoints_compute_again():
    def sent(reentrant):
        software = {"transformers": "4.49.0", "trainer": "transformers"}
        around = {"software": software, "script": {"entry_point": "train.py"}}
        plan = full(FSDP1, sections=around, gradient_checkpointing=True, use_reentrant=reentrant)
        assert plan.fsdp.defers, "gradients are not reduced in each micro-batch"
        return micro_batch(plan, 512).sent.expected

    assert sent(reentrant=True) == pytest.approx(1.5 * sent(reentrant=False))


def test_an_evaluation_gathers_once_and_reduces_nothing():
    plan = full({"parallelism": "fsdp"})
    sent = ring_bytes(2 * PARAMETERS, 8)
    found = micro_batch(plan, 512, backward=False).sent.expected
    assert found == pytest.approx(seconds(plan, sent, LAYERS + 1), rel=0.01)


def test_adapters_are_units_of_their_own_under_fsdp1():
    targets = {"target_modules": ["q_proj", "v_proj"]}
    plans = (planned(LLAMA, method={**LORA, **targets}, instance={**FSDP1, "fsdp_version": v}) for v in (1, 2))
    one, two = (hooked_units(job_of(plan), 3) for plan in plans)
    assert two == 3 * (LAYERS + 1)
    assert one - two == 3 * LAYERS * 2 * 2, "a matrix up and one down for each of two modules"


def test_replicas_of_a_host_reduce_over_the_network():
    """Hybrid sharding reduces inside each host, and the parts between hosts; full sharding everything between them."""
    hosts = {"parallelism": "fsdp", "count": 2}
    hybrid, whole = (update(full({**hosts, "sharding": sharding})).sent for sharding in ("hybrid", "full"))
    between = network(full(hosts).hardware).seconds(2 * ring_bytes(2 * PARAMETERS, 2), 2).expected
    assert hybrid.expected > between
    assert micro_batch(full({**hosts, "sharding": "hybrid"}), 512).sent.expected < whole.expected


def test_gradients_of_ranks_are_reduced():
    ddp, single = (update(full({"parallelism": kind})).sent.expected for kind in ("ddp", "single"))
    assert ddp > single == 0


def test_an_optimizer_on_the_host_has_one_thread_for_each_process():
    """torchrun sets OMP_NUM_THREADS=1: 23 passes over a rank's eighth of the parameters, in float32."""
    found = update(full({"parallelism": "fsdp", "offload": "all"})).host
    moved = 23 * 4 * PARAMETERS / 8
    assert found.low > moved / HOST_THREAD_BYTES_PER_SECOND.high
    assert found.expected == pytest.approx(moved / HOST_THREAD_BYTES_PER_SECOND.expected, rel=0.1)
    assert found.expected > 5


def test_deepspeeds_own_adam_is_one_kernel():
    torch, own = (
        update(full({"parallelism": kind, "offload": offload})).host
        for kind, offload in (("fsdp", "all"), ("zero3", "all"))
    )
    assert 0 < own.expected < torch.expected / 2


def test_without_offload_the_host_updates_nothing():
    found = update(full({"parallelism": "fsdp"}))
    assert found.host.high == 0 < found.work


def test_replicas_that_fill_a_host_meet_over_the_network():
    """Two replicas of eight GPUs each, whose rings leave the host, eight at a time."""
    plan = full({"count": 2, "type": "ml.p4d.24xlarge", "parallelism": "fsdp", "tensor_parallel": 8})
    assert plan.data_parallel_size == 2
    gathered = network(plan.hardware).seconds(ring_bytes(2 * PARAMETERS, 2)).expected
    assert micro_batch(plan, 512).sent.expected > 2 * 0.95 * gathered
    assert update(plan).sent.expected > 0.95 * gathered

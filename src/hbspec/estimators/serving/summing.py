"""What GPUs that share a model send each other while it answers."""

from __future__ import annotations

from hbspec.diagnostics import Missing, known
from hbspec.estimators.serving.memory import served_model
from hbspec.estimators.step.communication import link, on_nvlink, ring_bytes
from hbspec.plan import ServingPlan
from hbspec.units import Interval

HIDDEN_BYTES = 2
"""Of each number of a hidden state."""


def summed_over_pcie(plan: ServingPlan, tokens: float) -> Interval:
    """Seconds in which GPUs that no NVLink joins sum the hidden states of so many tokens, twice a layer.

    Each sum is a reduce-scatter and an all-gather. The latency of a sum, and over NVLink all of it, is part of what is
    fitted (`reduction`), as nearly all measured runs of several GPUs were joined by it.

    Args:
        plan: the endpoint.
        tokens: of all requests in one step or one prefill.

    Raises:
        NotKnownError: the architecture or the hardware is not known.
    """
    hardware = known(plan.hardware, Missing("the endpoint's hardware", ("deployment", "instance")))
    parts = plan.tensor_parallel
    if parts == 1 or on_nvlink(hardware):
        return Interval.exact(0.0)
    architecture = served_model(plan)
    sums = 2 * architecture.num_hidden_layers
    hidden = ring_bytes(tokens * architecture.hidden_size * HIDDEN_BYTES, parts)
    return link(hardware, parts).seconds(2 * sums * hidden, collectives=0)

"""How fast one request is answered: prefill by compute, decoding by memory bandwidth."""

from __future__ import annotations

from hbspec.catalog import Architecture, Gpu
from hbspec.catalog.parameters import (
    active_parameters,
    embedding_parameters,
    kv_cache_bytes_per_token,
    total_parameters,
)
from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.constants import (
    DECODE_BANDWIDTH_EFFICIENCY,
    DECODE_LAUNCH_SECONDS_PER_LAYER,
    STEP_TIME_ERROR,
)
from hbspec.estimators.flops import attention_flops
from hbspec.estimators.step import CAUSAL_SHARE, compute_speed
from hbspec.plan import ServingPlan
from hbspec.units import Interval


def streamed_bytes(architecture: Architecture, weights: int) -> int:
    """Bytes of weights that are read for each token of one request: all but what it does not visit.

    The embedding table is looked up in one row, unless it is the head too; experts that the token does not visit rest.

    Args:
        architecture: the model.
        weights: bytes of the model as served.
    """
    table = 0 if architecture.tie_word_embeddings else 2 * embedding_parameters(architecture)
    visited = active_parameters(architecture) / total_parameters(architecture)
    return round((weights - table) * visited)


def decode_seconds(plan: ServingPlan, weights: int, context: float, cache_element: int) -> Interval:
    """Seconds of one token of one request: (streamed weights + cache of the context) / (bandwidth x efficiency).

    The low end is the physical limit, the full bandwidth. Left out: batching, which shares the weights' stream,
    speculative decoding, and the links between GPUs that share a layer.

    Args:
        plan: the endpoint.
        weights: bytes of the model as served.
        context: tokens that are in the cache, on average.
        cache_element: bytes of a number in the cache.

    Raises:
        NotKnownError: the architecture, the hardware or its bandwidth is not known.
    """
    architecture, gpu = _parts(plan)
    bandwidth = known(gpu.bandwidth, f"the memory bandwidth of {gpu.name}")
    read = streamed_bytes(architecture, weights) + context * kv_cache_bytes_per_token(architecture, cache_element)
    seconds = read / plan.tensor_parallel / bandwidth
    share = DECODE_BANDWIDTH_EFFICIENCY.get(plan.quantization)
    if share is None:
        raise NotKnownError(f"how fast weights in {plan.quantization} stream")
    launches = architecture.num_hidden_layers * DECODE_LAUNCH_SECONDS_PER_LAYER
    return Interval(seconds, max(launches, seconds / share.expected), max(launches, seconds / share.low))


def prefill_seconds(plan: ServingPlan, tokens: float) -> Interval:
    """Seconds until a prompt is read: (2 x active parameters x tokens + causal attention) / (peak x efficiency).

    Raises:
        NotKnownError: the architecture, the hardware or its speed in the served dtype is not known.
    """
    architecture, gpu = _parts(plan)
    products = 2 * (active_parameters(architecture) - embedding_parameters(architecture)) * tokens
    pairs = CAUSAL_SHARE * attention_flops(architecture, 1, tokens)
    seconds = (products + pairs) / compute_speed(gpu, plan.dtype) / plan.tensor_parallel
    return Interval.exact(seconds) * STEP_TIME_ERROR


def _parts(plan: ServingPlan) -> tuple[Architecture, Gpu]:
    architecture = known(plan.architecture, "the model's architecture")
    return architecture, known(plan.hardware, "the endpoint's hardware").gpu

"""The requests that an endpoint's KV cache holds, and a request length with which the engine is certain to start."""

from __future__ import annotations

from contextlib import suppress
from math import ceil, floor
from typing import NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.constants import ENGINE, EngineConstants
from hbspec.estimators.serving.held import activations_of, engine_of
from hbspec.estimators.serving.memory import (
    adapter_slot_bytes,
    bounded_layers,
    demand,
    gpu_weights,
    longest_served,
    request_cache,
    served_model,
)
from hbspec.estimators.serving.profiled import EngineSettings
from hbspec.plan import ServingPlan
from hbspec.units import Interval

UNKNOWN_MEMORY = "the GPU's memory"
"""What is lacking where no room can be said."""


class Room(NamedTuple):
    """The requests whose KV cache fits beside weights, adapters, activations and the engine.

    Attributes:
        context: tokens of the longest single request, within the model's positions.
        longest: concurrent requests of `max_model_len` tokens; None where no length is set.
        typical: concurrent typical requests; None where the length of the typical answer is not set.
    """

    context: int
    longest: int | None
    typical: int | None


class Free(NamedTuple):
    """Bytes for the KV cache over all GPUs together: what is surely there, expected, and there at best."""

    sure: int
    expected: int
    best: int


class Rooms(NamedTuple):
    """The requests that surely fit, are expected to fit, and fit at best."""

    sure: Room
    expected: Room
    best: Room


MEMORY_SEEN = 1.004
"""How much more memory than the catalog's figure, the smallest that was seen, some drivers report: logs of vLLM print
22.06 and 22.07 GiB of an A10G, 39.49 of an A100 of 40 GB, 44.42 of an L40S, 79.25 of an H100."""


MEMORY_DESCRIBED = 1.016
"""The same of a GPU of which only the nominal memory is known: the catalog's have up to 0.996 of it, 0.98 is taken."""


def room_bytes(
    plan: ServingPlan, settings: EngineSettings | None = None, constants: EngineConstants = ENGINE
) -> Free | None:
    """Bytes for the KV cache over all GPUs together; None where the GPU's memory is not known.

    The share of each GPU that the engine may use, less weights, adapters, and what the engine measures at its start
    (`hbspec.estimators.serving.held`); negative where these do not fit.

    Args:
        plan: the endpoint.
        settings: of the engine; None for those that the compiled endpoint is told.
        constants: what is read from logs.

    Raises:
        NotKnownError: as for `fixed_terms`.
    """
    usable = plan.hardware.gpu.usable_bytes if plan.hardware else None
    if usable is None:
        return None
    held = gpu_weights(plan) + adapter_slot_bytes(plan)
    measured = activations_of(plan, settings, constants) + engine_of(plan, settings, constants)
    share = usable * plan.utilization
    ends = ((share, measured.high), (share, measured.expected), (share * _seen(plan), measured.low))
    return Free(*(floor(given - held - taken) * plan.tensor_parallel for given, taken in ends))


def _seen(plan: ServingPlan) -> float:
    gpu = known(plan.hardware, UNKNOWN_MEMORY).gpu
    return MEMORY_DESCRIBED if gpu.bandwidth is None and gpu.compute_capability is None else MEMORY_SEEN


def cache_tokens(
    plan: ServingPlan, settings: EngineSettings | None = None, constants: EngineConstants = ENGINE
) -> Interval | None:
    """Tokens of all requests together that the KV cache holds: vLLM's "GPU KV cache size".

    None without the GPU's memory, and of models with windows or states, whose layers hold different numbers of tokens.

    Args:
        plan: the endpoint.
        settings: as for `room_bytes`.
        constants: likewise.

    Raises:
        NotKnownError: as for `room_bytes`.
    """
    free = room_bytes(plan, settings, constants)
    architecture = served_model(plan)
    if free is None or bounded_layers(architecture) or not architecture.stateless:
        return None
    each = request_cache(plan, 1)
    low, expected, high = (max(0, floor(size / each)) for size in free)
    return Interval(low, expected, high)


def rooms(plan: ServingPlan) -> Rooms | None:
    """The requests that fit beside weights, adapters and the engine; None where the GPU's memory is not known.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    free = room_bytes(plan)
    return None if free is None else Rooms(*(_room(plan, size) for size in free))


def _room(plan: ServingPlan, free: int) -> Room:
    architecture, asked = served_model(plan), demand(plan)
    context = longest_served(plan, free)
    return Room(
        min(context, architecture.max_position_embeddings),
        _held(free, asked.longest),
        _held(free, asked.typical_request),
    )


def _held(free: int, each: int | None) -> int | None:
    return max(0, free) // each if each else None


def startable(plan: ServingPlan) -> ServingPlan:
    """The endpoint with an assumed `max_model_len` lowered until it is certain to fit, but not below a typical request.

    vLLM refuses to start if one request of `max_model_len` tokens does not fit. A length set by the author is kept.
    """
    if plan.max_model_len is None or not plan.assumes("max_model_len"):
        return plan
    with suppress(NotKnownError):  # the rules name what is not known
        found = rooms(plan)
        if found is not None and found.sure.context < plan.max_model_len:
            typical = min(ceil(plan.input_tokens + (plan.output_tokens or 0)), plan.max_model_len)
            return plan.assuming("max_model_len", max(typical, found.sure.context), "certainly fits beside the weights")
    return plan

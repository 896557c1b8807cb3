"""The requests that an endpoint's KV cache holds, and a request length with which the engine is certain to start."""

from __future__ import annotations

from contextlib import suppress
from math import ceil
from typing import NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.estimators.serving.memory import (
    cache_copies,
    cache_element,
    demand,
    longest_request,
    room_bytes,
    served_model,
)
from hbspec.plan import ServingPlan


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


def room(plan: ServingPlan, engine: float) -> Room | None:
    """The requests that fit if the engine takes `engine` bytes per GPU; None where the GPU's memory is not known.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    free = room_bytes(plan, engine)
    if free is None:
        return None
    architecture, asked = served_model(plan), demand(plan)
    context = longest_request(architecture, free / cache_copies(plan), cache_element(plan))
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
        sure = room(plan, CONTEXT_BYTES.high)
        if sure is not None and sure.context < plan.max_model_len:
            typical = min(ceil(plan.input_tokens + (plan.output_tokens or 0)), plan.max_model_len)
            return plan.assuming("max_model_len", max(typical, sure.context), "certainly fits beside the weights")
    return plan

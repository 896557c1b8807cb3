"""What an endpoint's cache has room for, and the length that the engine surely starts with."""

from __future__ import annotations

from contextlib import suppress
from math import ceil
from typing import NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.estimators.serving.memory import (
    NO_MODEL,
    cache_copies,
    cache_element,
    demand,
    longest_request,
    room_bytes,
)
from hbspec.plan import ServingPlan


class Room(NamedTuple):
    """What fits beside weights, adapters, activations and the engine.

    Attributes:
        context: tokens of the longest single request, within the model's positions.
        longest: requests of `max_model_len` tokens at once; None where no length is given.
        typical: typical requests at once; None where the length of the typical answer is not given.
    """

    context: int
    longest: int | None
    typical: int | None


def room(plan: ServingPlan, engine: float) -> Room | None:
    """What there is room for where the engine takes so many bytes of each GPU; None without the GPU's memory.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights quantised so.
    """
    free = room_bytes(plan, engine)
    if free is None:
        return None
    architecture, asked = known(plan.architecture, NO_MODEL), demand(plan)
    context = longest_request(architecture, free / cache_copies(plan), cache_element(plan))
    return Room(
        min(context, architecture.max_position_embeddings),
        _held(free, asked.longest),
        _held(free, asked.typical_request),
    )


def _held(free: int, each: int | None) -> int | None:
    return max(0, free) // each if each else None


def startable(plan: ServingPlan) -> ServingPlan:
    """The endpoint with an assumed `max_model_len` lowered to what surely fits, but not below the typical request.

    vLLM refuses to start where one request of `max_model_len` tokens does not fit. A length of the author's stays.
    """
    if plan.max_model_len is None or not plan.assumes("max_model_len"):
        return plan
    with suppress(NotKnownError):  # the rules name what is not known
        sure = room(plan, CONTEXT_BYTES.high)
        if sure is not None and sure.context < plan.max_model_len:
            typical = min(ceil(plan.input_tokens + (plan.output_tokens or 0)), plan.max_model_len)
            return plan.assuming("max_model_len", max(typical, sure.context), "what surely fits beside the weights")
    return plan

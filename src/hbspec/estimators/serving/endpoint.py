"""What an endpoint holds, answers and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.estimators.serving.cost import Charge, Charges, answers_cost, charges, money_dict
from hbspec.estimators.serving.decoding import Step, prefill_seconds, step_of
from hbspec.estimators.serving.load import Load, load
from hbspec.estimators.serving.memory import (
    NO_MODEL,
    Demand,
    demand,
    fixed_terms,
    request_cache,
    room_bytes,
    served_weights,
    weights_bytes,
)
from hbspec.estimators.serving.room import Room, room
from hbspec.estimators.verdict import Verdict, verdict
from hbspec.plan import ServingPlan
from hbspec.units import Interval, Money

__all__ = ["Serving", "serving", "weights_bytes"]


@dataclass(frozen=True, slots=True)
class Serving:
    """An endpoint, per GPU where it is about memory.

    Attributes:
        verdict: "fits" if `concurrency` requests of `max_model_len` tokens surely fit at once; "does_not_fit" if one of
            them surely does not, or not the typical load; else "tight"; "unknown" where the GPU's memory is not known.
        weights_bytes: the whole model as served, on however many GPUs.
        terms: bytes of each GPU by name, the engine as expected; they add up to `memory.expected`.
        engine_bytes: what the engine needs beside what is counted.
        kv_bytes_per_token: of all GPUs of a replica together, as long as no layer's window is full.
        demand: the cache that is asked for.
        memory: bytes of each GPU with all requests at their longest.
        least_memory: bytes of each GPU with the cache that must fit (`Demand.least`).
        usable: bytes that PyTorch can have of a GPU.
        budget: of these, what the engine may use (`gpu_memory_utilization`).
        room: what fits, as expected; None where the GPU's memory is not known.
        sure_room: what fits even where the engine takes the most that it may; likewise.
        best_room: what fits where the engine takes the least; likewise.
        prefill_seconds: until the typical prompt is read, where nothing else is asked.
        decode_tokens_per_second: of one request alone.
        least_token_seconds: of one token of it, streaming all that it needs at the full bandwidth.
        latency_seconds: of the typical prompt and answer, alone.
        load: the endpoint at the concurrency that is asked for; None where a part is not known.
        charges: what is billed; None without a price.
        cost_per_1000_answers: of an instance that is busy all the time; likewise.
        unknown: why a part is None.
    """

    verdict: Verdict
    weights_bytes: int
    terms: Mapping[str, int]
    engine_bytes: Interval
    kv_bytes_per_token: int
    demand: Demand
    memory: Interval
    least_memory: Interval
    usable: int | None
    budget: int | None
    room: Room | None
    sure_room: Room | None
    best_room: Room | None
    prefill_seconds: Interval | None
    decode_tokens_per_second: Interval | None
    least_token_seconds: float | None
    latency_seconds: Interval | None
    load: Load | None
    charges: Charges | None
    cost_per_1000_answers: Charge | None
    unknown: Mapping[str, str]

    @property
    def kv_bytes_needed(self) -> int | None:
        """Cache of all requests at their longest."""
        return self.demand.all_longest

    @property
    def largest_context(self) -> int | None:
        """Tokens of the longest request that fits, as expected, within the model's positions."""
        return self.room and self.room.context

    @property
    def largest_concurrency(self) -> int | None:
        """Requests of `max_model_len` that fit at once, as expected."""
        return self.room and self.room.longest

    @property
    def holds_weights(self) -> bool:
        """Whether weights, adapters and the least that the engine needs fit; also where that is not known, False."""
        held = self.terms["weights"] + self.terms.get("adapters", 0) + self.engine_bytes.low
        return self.budget is not None and held <= self.budget

    @property
    def hourly_cost(self) -> Money | None:
        """Of the instances that the endpoint starts with, in the price's currency; likewise a day and a month."""
        return self.charges and self.charges.hourly

    @property
    def daily_cost(self) -> Money | None:
        """24 hours."""
        return self.charges and self.charges.daily

    @property
    def monthly_cost(self) -> Money | None:
        """30 days."""
        return self.charges and self.charges.monthly

    def tokens_within(self, seconds: float) -> Interval:
        """How many tokens one request can be answered with in a time, its prompt aside; at most, at full bandwidth.

        Raises:
            NotKnownError: the speed of decoding is not known.
        """
        why = self.unknown.get("decode_tokens_per_second", "the speed")
        rate, least = known(self.decode_tokens_per_second, why), known(self.least_token_seconds, why)
        return Interval(floor(rate.low * seconds), floor(rate.expected * seconds), floor(seconds / least))

    def to_dict(self) -> dict[str, Any]:
        """The `serving` of `hbspec estimate --format json`."""
        return {
            "verdict": self.verdict,
            "weights_bytes": self.weights_bytes,
            "terms": dict(self.terms),
            "engine_bytes": self.engine_bytes.map(round).to_dict(),
            "kv_bytes_per_token": self.kv_bytes_per_token,
            "kv_bytes_needed": self.kv_bytes_needed,
            "memory_bytes": self.memory.map(round).to_dict(),
            "usable_bytes": self.usable,
            "budget_bytes": self.budget,
            "largest_context": self.largest_context,
            "largest_concurrency": self.largest_concurrency,
            "prefill_seconds": self.prefill_seconds and self.prefill_seconds.to_dict(),
            "decode_tokens_per_second": self.decode_tokens_per_second and self.decode_tokens_per_second.to_dict(),
            "latency_seconds": self.latency_seconds and self.latency_seconds.to_dict(),
            "load": self.load and self.load.to_dict(),
            "hourly_cost": money_dict(self.hourly_cost),
            "daily_cost": money_dict(self.daily_cost),
            "monthly_cost": money_dict(self.monthly_cost),
            "scaled_cost": self.charges and {name: found.to_dict() for name, found in self.charges.scaled.items()},
            "cost_per_1000_answers": self.cost_per_1000_answers and self.cost_per_1000_answers.to_dict(),
            "unknown": dict(self.unknown),
        }


def serving(plan: ServingPlan) -> Serving:
    """The estimate of an endpoint. What depends on a missing fact is None, and `unknown` names the fact.

    Without a `max_model_len`, given or assumed, no cache is needed for sure, and the verdict is about the rest.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights quantised so.
    """
    known(plan.architecture, NO_MODEL)
    unknown: dict[str, str] = {}
    parts, asked = plan.tensor_parallel, demand(plan)
    fixed = fixed_terms(plan)
    terms = {**fixed, "kv_cache": -(-(asked.all_longest or 0) // parts)}
    memory = CONTEXT_BYTES + sum(terms.values())
    least = CONTEXT_BYTES + (sum(fixed.values()) + -(-asked.least // parts))
    usable = plan.hardware.gpu.usable_bytes if plan.hardware else None
    budget = None if usable is None else floor(usable * plan.utilization)
    prefill, step, latency = _alone(plan, unknown)
    token = step and step.interval()
    busy = _load(plan, room_bytes(plan), unknown)
    billed = charges(plan)
    if billed is None:
        unknown["hourly_cost"] = "a price of the endpoint's instance"
    return Serving(
        verdict=verdict(memory, budget, least),
        weights_bytes=served_weights(plan),
        terms={name: size for name, size in {**terms, "engine": round(CONTEXT_BYTES.expected)}.items() if size},
        engine_bytes=CONTEXT_BYTES,
        kv_bytes_per_token=round(request_cache(plan, 1)),
        demand=asked,
        memory=memory,
        least_memory=least,
        usable=usable,
        budget=budget,
        room=room(plan, CONTEXT_BYTES.expected),
        sure_room=room(plan, CONTEXT_BYTES.high),
        best_room=room(plan, CONTEXT_BYTES.low),
        prefill_seconds=prefill,
        decode_tokens_per_second=token and Interval(1 / token.high, 1 / token.expected, 1 / token.low),
        least_token_seconds=step and step.least,
        latency_seconds=latency,
        load=busy,
        charges=billed,
        cost_per_1000_answers=busy and answers_cost(plan, busy.requests_per_hour),
        unknown=unknown,
    )


def _alone(plan: ServingPlan, unknown: dict[str, str]) -> tuple[Interval | None, Step | None, Interval | None]:
    """Prefill, a step of decoding and latency of the typical request, where it is the only one."""
    prompt, answer = plan.input_tokens, plan.output_tokens
    prefill = step = None
    try:
        step = step_of(plan, prompt + (answer or 0) / 2)
    except NotKnownError as reason:
        unknown["decode_tokens_per_second"] = str(reason)
    try:
        prefill = prefill_seconds(plan, prompt)
    except NotKnownError as reason:
        unknown["prefill_seconds"] = str(reason)
    if prefill is None or step is None or answer is None:
        unknown["latency_seconds"] = "deployment.typical_output_tokens" if answer is None else "the speed or the prompt"
        return prefill, step, None
    return prefill, step, prefill + step.interval() * answer


def _load(plan: ServingPlan, room: int | None, unknown: dict[str, str]) -> Load | None:
    try:
        return load(plan, known(room, "the GPU's memory"))
    except NotKnownError as reason:
        unknown["load"] = str(reason)
        return None

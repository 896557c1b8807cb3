"""Memory, speed and cost of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import floor
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.cost import Charge, Charges, answers_cost, charges, money_dict
from hbspec.estimators.serving.decoding import DecodingStep, step_of
from hbspec.estimators.serving.held import activations_of, engine_of, fixed_terms
from hbspec.estimators.serving.load import Load, load
from hbspec.estimators.serving.loading import QUANTISING, loading_bytes
from hbspec.estimators.serving.memory import (
    Demand,
    demand,
    served_model,
    served_weights,
    token_cache,
    weights_bytes,
)
from hbspec.estimators.serving.prefill import answering_seconds, first_token_seconds, prefill_seconds
from hbspec.estimators.serving.room import UNKNOWN_MEMORY, Room, cache_tokens, room_bytes, rooms
from hbspec.estimators.verdict import Verdict, verdict
from hbspec.plan import ServingPlan
from hbspec.units import Interval, Money

__all__ = ["Serving", "serving", "weights_bytes"]


class Serving(NamedTuple):
    """The estimate of an endpoint; memory is per GPU.

    Attributes:
        verdict: "fits" if `concurrency` requests of `max_model_len` tokens are certain to fit at once; "does_not_fit"
            if a single one, or the typical load, is certain not to; else "tight"; "unknown" where the GPU's memory is
            not known.
        weights_bytes: bytes of the whole model as served, over all its GPUs.
        terms: bytes per GPU by name, with the engine as expected; they add up to `memory.expected`.
        engine_bytes: what the engine takes per GPU beside weights, adapters and activations, in bytes.
        kv_bytes_per_token: KV cache per token in bytes, over all GPUs of a replica, while no layer's window is full.
        demand: the KV cache needed.
        memory: bytes per GPU with all requests at `max_model_len`.
        least_memory: bytes per GPU with the KV cache that must fit (`Demand.least`).
        loading: bytes per GPU while the engine quantises weights as it loads them; None where it does not.
        usable: bytes that PyTorch can use on a GPU.
        budget: bytes that the engine may use (`gpu_memory_utilization`).
        room: requests that fit with the engine's expected overhead; None where the GPU's memory is not known.
        sure_room: requests that fit with the engine's largest overhead; likewise.
        best_room: requests that fit with the engine's smallest overhead; likewise.
        cache_tokens: tokens of all requests together that the KV cache holds; None without the GPU's memory, and of a
            model with windows.
        prefill_seconds: seconds of prefill of a single typical prompt.
        first_token_seconds: seconds until the first token of a single typical request.
        decode_tokens_per_second: tokens per second of a single request.
        least_token_seconds: physical minimum of seconds per token of a single request, at full bandwidth.
        latency_seconds: seconds of a single typical prompt and answer.
        load: the endpoint at the planned concurrency; None where a part is not known.
        charges: the bill; None without a price.
        cost_per_1000_answers: cost at the load of `load` all the time; None without a price.
        unknown: the reason why a part is None, or a quantity is not calculated at all, by name.
    """

    verdict: Verdict
    weights_bytes: int
    terms: Mapping[str, int]
    engine_bytes: Interval
    kv_bytes_per_token: int
    demand: Demand
    memory: Interval
    least_memory: Interval
    loading: Interval | None
    usable: int | None
    budget: int | None
    room: Room | None
    sure_room: Room | None
    best_room: Room | None
    cache_tokens: Interval | None
    prefill_seconds: Interval | None
    first_token_seconds: Interval | None
    decode_tokens_per_second: Interval | None
    least_token_seconds: float | None
    latency_seconds: Interval | None
    load: Load | None
    charges: Charges | None
    cost_per_1000_answers: Charge | None
    unknown: Mapping[str, str]

    @property
    def kv_bytes_needed(self) -> int | None:
        """Bytes of KV cache for all requests at `max_model_len`."""
        return self.demand.all_longest

    @property
    def largest_context(self) -> int | None:
        """Expected tokens of the longest request that fits, within the model's positions."""
        return self.room and self.room.context

    @property
    def largest_concurrency(self) -> int | None:
        """Expected number of requests of `max_model_len` tokens that fit at once."""
        return self.room and self.room.longest

    @property
    def holds_weights(self) -> bool:
        """Whether weights, adapters and the engine's smallest overhead fit; False where it is not known."""
        held = self.terms["weights"] + self.terms.get("adapters", 0) + self.engine_bytes.low
        return self.budget is not None and held <= self.budget

    @property
    def hourly_cost(self) -> Money | None:
        """The hourly cost of the endpoint's initial instances, in the price's currency."""
        return self.charges and self.charges.hourly

    @property
    def daily_cost(self) -> Money | None:
        """The cost of the endpoint's initial instances for 24 hours."""
        return self.charges and self.charges.daily

    @property
    def monthly_cost(self) -> Money | None:
        """The cost of the endpoint's initial instances for 30 days."""
        return self.charges and self.charges.monthly

    def tokens_within(self, seconds: float) -> Interval:
        """Tokens that one request can generate in `seconds`, without its prefill; the high end is at full bandwidth.

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
            "loading_bytes": self.loading and self.loading.map(round).to_dict(),
            "usable_bytes": self.usable,
            "budget_bytes": self.budget,
            "cache_tokens": self.cache_tokens and self.cache_tokens.to_dict(),
            "largest_context": self.largest_context,
            "largest_concurrency": self.largest_concurrency,
            "prefill_seconds": self.prefill_seconds and self.prefill_seconds.to_dict(),
            "first_token_seconds": self.first_token_seconds and self.first_token_seconds.to_dict(),
            "decode_tokens_per_second": self.decode_tokens_per_second and self.decode_tokens_per_second.to_dict(),
            "latency_seconds": self.latency_seconds and self.latency_seconds.to_dict(),
            "load": self.load and self.load.to_dict(),
            "hourly_cost": money_dict(self.hourly_cost),
            "daily_cost": money_dict(self.daily_cost),
            "monthly_cost": money_dict(self.monthly_cost),
            "scaled_cost": self.charges and {name: found.to_dict() for name, found in self.charges.scaled.items()},
            "baseline_hourly_cost": money_dict(self.charges and self.charges.baseline),
            "cost_left_out": dict(self.charges.left_out) if self.charges else {},
            "cost_per_1000_answers": self.cost_per_1000_answers and self.cost_per_1000_answers.to_dict(),
            "unknown": dict(self.unknown),
        }


def serving(plan: ServingPlan) -> Serving:
    """The estimate of an endpoint. A part that depends on a missing fact is None, and `unknown` names the fact.

    Without a given or assumed `max_model_len`, the verdict does not include a KV cache.

    Several rules ask for the same few endpoints, also where only something else in the spec changes; so the last ones
    are kept. What was assumed has been put into the plan and plays no further part.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    return _serving(plan._replace(assumptions=()))


@lru_cache(maxsize=64)
def _serving(plan: ServingPlan) -> Serving:
    served_model(plan)
    unknown: dict[str, str] = {}
    parts, asked = plan.tensor_parallel, demand(plan)
    fixed = fixed_terms(plan)
    terms = {**fixed, "kv_cache": -(-(asked.all_longest or 0) // parts)}
    engine = engine_of(plan)
    measured = engine + activations_of(plan) + (fixed["weights"] + fixed["adapters"])
    memory, least = (measured + -(-(needed or 0) // parts) for needed in (asked.all_longest, asked.least))
    usable = plan.hardware.gpu.usable_bytes if plan.hardware else None
    alone, busy = _alone(plan, unknown), _load(plan, unknown)
    token = alone.step and alone.step.interval()
    held, billed, loading = rooms(plan), charges(plan), loading_bytes(plan)
    unknown |= {"hourly_cost": "a price of the endpoint's instance"} if billed is None else {}
    unknown |= {} if loading is None else {"loading_seconds": QUANTISING}
    return Serving(
        verdict=verdict(memory, usable and floor(usable * plan.utilization), least),
        weights_bytes=served_weights(plan),
        terms={name: size for name, size in {**terms, "engine": round(engine.expected)}.items() if size},
        engine_bytes=engine,
        kv_bytes_per_token=round(token_cache(plan)),
        demand=asked,
        memory=memory,
        least_memory=least,
        loading=loading,
        usable=usable,
        budget=None if usable is None else floor(usable * plan.utilization),
        room=held and held.expected,
        sure_room=held and held.sure,
        best_room=held and held.best,
        cache_tokens=cache_tokens(plan),
        prefill_seconds=alone.prefill,
        first_token_seconds=alone.first,
        decode_tokens_per_second=token and Interval(1 / token.high, 1 / token.expected, 1 / token.low),
        least_token_seconds=alone.step and alone.step.least,
        latency_seconds=alone.latency,
        load=busy,
        charges=billed,
        cost_per_1000_answers=busy and answers_cost(plan, busy.requests_per_hour),
        unknown=unknown,
    )


class Alone(NamedTuple):
    """A single typical request in an endpoint that answers no other."""

    prefill: Interval | None = None
    first: Interval | None = None
    step: DecodingStep | None = None
    latency: Interval | None = None


def _alone(plan: ServingPlan, unknown: dict[str, str]) -> Alone:
    """Prefill, the first token, a decoding step and latency."""
    prompt, answer = plan.input_tokens, plan.output_tokens
    prefill = first = step = None
    try:
        step = step_of(plan, prompt + (answer or 0) / 2)
    except NotKnownError as reason:
        unknown["decode_tokens_per_second"] = str(reason)
    try:
        prefill, first = prefill_seconds(plan, prompt), first_token_seconds(plan, prompt)
    except NotKnownError as reason:
        unknown["prefill_seconds"] = str(reason)
    if first is None or step is None or answer is None:
        lacking = "deployment.typical_output_tokens" if answer is None else "the speed of prefill and decoding"
        unknown["latency_seconds"] = lacking
        return Alone(prefill, first, step)
    return Alone(prefill, first, step, answering_seconds(plan, prompt, answer))


def _load(plan: ServingPlan, unknown: dict[str, str]) -> Load | None:
    try:
        return load(plan, known(room_bytes(plan), UNKNOWN_MEMORY).expected)
    except NotKnownError as reason:
        unknown["load"] = str(reason)
        return None

"""What an endpoint holds, answers and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import floor
from typing import Any

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.constants import ENGINE_BYTES
from hbspec.estimators.decoding import decode_seconds, prefill_seconds
from hbspec.estimators.weights import serving_weights
from hbspec.plan import ServingPlan
from hbspec.units import DAYS_PER_MONTH, Interval, Money, cents

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Serving:
    """An endpoint, per GPU where it is about memory.

    Attributes:
        verdict: whether `concurrency` requests of `max_model_len` tokens fit at once: "fits" if surely,
            "does_not_fit" if surely not, else "tight"; "unknown" where the GPU's memory is not known.
        weights_bytes: the whole model as served, on however many GPUs.
        terms: bytes of each GPU by name, the engine as expected; they add up to `memory.expected`.
        engine_bytes: what the engine needs beside weights and cache.
        kv_bytes_per_token: of the whole model.
        kv_bytes_needed: cache of all requests at their longest.
        memory: bytes of each GPU with all of that.
        usable: bytes that PyTorch can have of a GPU.
        budget: of these, what the engine may use (`gpu_memory_utilization`).
        largest_context: tokens of one request whose cache still fits, as expected; None where not known.
        largest_concurrency: requests of `max_model_len` that fit at once, as expected; likewise.
        prefill_seconds: until the typical prompt is read.
        decode_tokens_per_second: of one request.
        latency_seconds: of the typical prompt and answer.
        hourly_cost, daily_cost, monthly_cost: of all instances, in the price's currency.
        unknown: why a part is None.
    """

    verdict: str
    weights_bytes: int
    terms: Mapping[str, int]
    engine_bytes: Interval
    kv_bytes_per_token: int
    kv_bytes_needed: int | None
    memory: Interval
    usable: int | None
    budget: int | None
    largest_context: int | None
    largest_concurrency: int | None
    prefill_seconds: Interval | None
    decode_tokens_per_second: Interval | None
    latency_seconds: Interval | None
    hourly_cost: Money | None
    daily_cost: Money | None
    monthly_cost: Money | None
    unknown: Mapping[str, str]

    def tokens_within(self, seconds: float) -> Interval:
        """How many tokens one request can be answered with in a time, its prompt aside.

        Raises:
            NotKnownError: the speed of decoding is not known.
        """
        rate = known(self.decode_tokens_per_second, self.unknown.get("decode_tokens_per_second", "the speed"))
        return rate.map(lambda tokens: floor(tokens * seconds))

    def to_dict(self) -> dict[str, Any]:
        """The `serving` of `hbspec estimate --format json`."""
        return {
            "verdict": self.verdict,
            "weights_bytes": self.weights_bytes,
            "terms": dict(self.terms),
            "engine_bytes": _whole(self.engine_bytes),
            "kv_bytes_per_token": self.kv_bytes_per_token,
            "kv_bytes_needed": self.kv_bytes_needed,
            "memory_bytes": _whole(self.memory),
            "usable_bytes": self.usable,
            "budget_bytes": self.budget,
            "largest_context": self.largest_context,
            "largest_concurrency": self.largest_concurrency,
            "prefill_seconds": _interval(self.prefill_seconds),
            "decode_tokens_per_second": _interval(self.decode_tokens_per_second),
            "latency_seconds": _interval(self.latency_seconds),
            "hourly_cost": _money(self.hourly_cost),
            "daily_cost": _money(self.daily_cost),
            "monthly_cost": _money(self.monthly_cost),
            "unknown": dict(self.unknown),
        }


def serving(plan: ServingPlan) -> Serving:
    """The estimate of an endpoint. What depends on a missing fact is None, and `unknown` names the fact.

    Without `max_model_len` no cache is needed for sure, and the verdict is about the weights alone.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights quantised so.
    """
    architecture = known(plan.architecture, "the model's architecture")
    unknown: dict[str, str] = {}
    weights = weights_bytes(architecture, plan.quantization)
    adapters = adapter_slot_bytes(plan)
    element = 1 if plan.kv_cache_dtype == "fp8" else 2
    per_token = kv_cache_bytes_per_token(architecture, element)
    needed = plan.concurrency * plan.max_model_len * per_token if plan.max_model_len else None
    parts = plan.tensor_parallel
    terms = {
        "weights": -(-weights // parts),
        "adapters": -(-adapters // parts),
        "kv_cache": -(-(needed or 0) // parts),
    }
    memory = ENGINE_BYTES + sum(terms.values())
    usable = plan.hardware.gpu.usable_bytes if plan.hardware else None
    budget = None if usable is None else floor(usable * plan.utilization)
    free = None if budget is None else budget - terms["weights"] - terms["adapters"] - round(ENGINE_BYTES.expected)
    context = None if free is None else max(0, free * parts // per_token)
    prefill, decode, latency = _speed(plan, weights, element, unknown)
    hourly = _hourly(plan, unknown)
    return Serving(
        verdict=_verdict(memory, budget, usable),
        weights_bytes=weights,
        terms={name: size for name, size in {**terms, "engine": round(ENGINE_BYTES.expected)}.items() if size},
        engine_bytes=ENGINE_BYTES,
        kv_bytes_per_token=per_token,
        kv_bytes_needed=needed,
        memory=memory,
        usable=usable,
        budget=budget,
        largest_context=context,
        largest_concurrency=None if context is None or not plan.max_model_len else context // plan.max_model_len,
        prefill_seconds=prefill,
        decode_tokens_per_second=decode,
        latency_seconds=latency,
        hourly_cost=hourly,
        daily_cost=_times(hourly, HOURS_PER_DAY),
        monthly_cost=_times(hourly, HOURS_PER_DAY * DAYS_PER_MONTH),
        unknown=unknown,
    )


def weights_bytes(architecture: Architecture, quantization: str) -> int:
    """Bytes of the whole model as served; see `hbspec.estimators.weights.serving_weights`.

    Raises:
        NotKnownError: a quantisation whose size is not known.
    """
    return sum(serving_weights(architecture, quantization).values())


def adapter_slot_bytes(plan: ServingPlan) -> int:
    """16-bit adapters that are served beside the weights; the engine keeps room for its largest rank.

    Merged adapters take nothing. Source: docs.vllm.ai, "LoRA Adapters" (`max_lora_rank` sizes the slots).
    """
    if plan.adapters != "separate" or not plan.lora_parameters or not plan.lora_r:
        return 0
    return 2 * plan.lora_parameters * max(plan.max_lora_rank, plan.lora_r) // plan.lora_r


def _verdict(memory: Interval, budget: int | None, usable: int | None) -> str:
    if budget is None or usable is None:
        return "unknown"
    if memory.high <= budget:
        return "fits"
    return "does_not_fit" if memory.low > usable else "tight"


def _speed(
    plan: ServingPlan, weights: int, element: int, unknown: dict[str, str]
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Prefill, decoding and latency of the typical request."""
    prompt, answer = plan.input_tokens, plan.output_tokens
    prefill = token = None
    try:
        token = decode_seconds(plan, weights, (prompt or 0) + (answer or 0) / 2, element)
    except NotKnownError as reason:
        unknown["decode_tokens_per_second"] = str(reason)
    try:
        prefill = prefill_seconds(plan, known(prompt, "deployment.typical_input_tokens"))
    except NotKnownError as reason:
        unknown["prefill_seconds"] = str(reason)
    decode = token and Interval(1 / token.high, 1 / token.expected, 1 / token.low)
    if prefill is None or token is None or answer is None:
        unknown["latency_seconds"] = "deployment.typical_output_tokens" if answer is None else "the speed or the prompt"
        return prefill, decode, None
    return prefill, decode, prefill + token * answer


def _hourly(plan: ServingPlan, unknown: dict[str, str]) -> Money | None:
    if plan.price is None or plan.hardware is None:
        unknown["hourly_cost"] = "a price of the endpoint's instance"
        return None
    return Money(plan.price.rate.per_hour * plan.hardware.instances, plan.price.rate.currency)


def _times(money: Money | None, factor: int) -> Money | None:
    return money and Money(money.amount * Decimal(factor), money.currency)


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else interval.to_dict()


def _whole(interval: Interval) -> dict[str, int]:
    return {"low": round(interval.low), "expected": round(interval.expected), "high": round(interval.high)}


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": cents(money.amount), "currency": money.currency}

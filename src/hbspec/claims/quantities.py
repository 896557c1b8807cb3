"""The quantities that can be claimed: each key of `expect`, its formula and its inputs."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture, Price
from hbspec.catalog.parameters import total_parameters
from hbspec.claims import inputs
from hbspec.diagnostics import Missing, Route, known
from hbspec.estimators.serving.decoding import ENDPOINT
from hbspec.estimators.serving.endpoint import weights_bytes
from hbspec.language import number_text
from hbspec.units import Interval, Money, bytes_text, seconds_text, significant

PRICE_KEY = re.compile(r"price\.(ml\.[a-z0-9-]+\.[a-z0-9]+)\.([a-z]{2}(?:-[a-z]+)+-\d)")
NO_ANSWER = Missing("deployment.typical_output_tokens", ("deployment", "typical_output_tokens"))
DERIVED_PRICE_ERROR = 0.005
"""Relative half-width of a derived price: measured ratios of SageMaker to EC2 prices are rounded to three digits."""


class Quantity(NamedTuple):
    """A quantity that a spec implies.

    Attributes:
        kind: "count" (a whole number), "ratio", "bytes", "seconds", "money" or "rate".
        formula: the formula in words, with the names of its inputs.
        compute: computes the interval in base units, and the currency of an amount. Raises `NotKnownError`.
        decides: the fact that would make the interval narrower.
        inputs: words the formula's inputs in numbers, from the analysis and the claim. Raises `NotKnownError`.
    """

    kind: str
    formula: str
    compute: Callable[[Analysis], tuple[Interval, str | None]]
    decides: str
    inputs: Callable[[Analysis, str], str]


def _of(function: Callable[[Analysis], str]) -> Callable[[Analysis, str], str]:
    """A wording of inputs that ignores the claim."""
    return lambda analysis, _: function(analysis)


def _plain(function: Callable[[Analysis], Interval | float]) -> Callable[[Analysis], tuple[Interval, str | None]]:
    def compute(analysis: Analysis) -> tuple[Interval, str | None]:
        value = function(analysis)
        return (value if isinstance(value, Interval) else Interval.exact(float(value))), None

    return compute


def _parameters(analysis: Analysis) -> Interval:
    if analysis.bounds is not None:
        return analysis.bounds.parameters
    return Interval.exact(total_parameters(_architecture(analysis)))


def _architecture(analysis: Analysis) -> Architecture:
    return analysis.plan.require("architecture")


def _counts(name: str) -> Callable[[Analysis], Interval]:
    def read(analysis: Analysis) -> Interval:
        plan = analysis.plan
        return plan.counted(name)

    return read


def _effective_batch(analysis: Analysis) -> int:
    plan = analysis.plan
    return plan.require("effective_batch_size")


def _training_cost(analysis: Analysis) -> tuple[Interval, str | None]:
    cost = analysis.cost
    return Interval(float(cost.low), float(cost.expected), float(cost.high)), cost.currency


def _serving_cost(name: str) -> Callable[[Analysis], tuple[Interval, str | None]]:
    def compute(analysis: Analysis) -> tuple[Interval, str | None]:
        lacking = _no_price(analysis)
        price = known(analysis.serving_plan.price, lacking)
        amount = known(getattr(analysis.serving, name), lacking)
        return _with_basis(Interval.exact(float(amount.amount)), price.basis), amount.currency

    return compute


def _no_price(analysis: Analysis) -> Missing:
    """The missing price of the endpoint, and its key: the region where that is unknown, else the instance."""
    region, own = analysis.serving_plan.region, known(analysis.spec.deployment, "a deployment").region
    named: Route = ("deployment" if own else "instance", "region")
    is_known = region is None or region in analysis.catalog.regions
    return Missing("a price of the endpoint's instance", ENDPOINT if is_known else named)


def _with_basis(interval: Interval, basis: str) -> Interval:
    if basis != "derived":
        return interval
    return Interval(
        interval.low * (1 - DERIVED_PRICE_ERROR), interval.expected, interval.high * (1 + DERIVED_PRICE_ERROR)
    )


def _price_quantity(instance_type: str, region: str) -> Quantity:
    def chosen(analysis: Analysis) -> Price:
        deployment = analysis.spec.deployment
        serves = deployment and instance_type in (deployment.instance.type, *deployment.instance.alternatives)
        trains = instance_type in (analysis.spec.instance.type, *analysis.spec.instance.alternatives)
        price = analysis.catalog.price(instance_type, region, "hosting" if serves and not trains else "training")
        return known(price, f"the price of {instance_type} in {region}")

    def compute(analysis: Analysis) -> tuple[Interval, str | None]:
        price = chosen(analysis)
        return _with_basis(Interval.exact(float(price.usd_per_hour)), price.basis), "USD"

    return Quantity(
        "rate",
        "the catalog's price, on demand",
        compute,
        "a price list read today",
        lambda analysis, believed: inputs.price(analysis, instance_type, region, chosen(analysis), believed),
    )


TIME = ("training.duration", "training.step_time", "training.cost")
"""Quantities calculated from the estimate of time."""
MEMORY = ("training.memory_total", "training.memory_per_gpu")
"""Quantities calculated from the estimate of memory."""

LENGTHS = "the true token lengths (`data.profile`) and a measured speed (`calibration.tokens_per_second_per_gpu`)"
NOTHING = "nothing: it is exact"
PACKED = "the true token lengths (`data.profile`), where rows are packed; else nothing: it is exact"
LAYERS = "the model's layers, where its type is not modelled (`hbspec model add`)"

QUANTITIES: dict[str, Quantity] = {
    "model.parameters": Quantity(
        "count", "sum of every tensor of the architecture", _plain(_parameters), LAYERS, _of(inputs.parameters)
    ),
    "model.memory_fp32": Quantity(
        "bytes", "4 B x parameters", _plain(lambda a: 4 * _parameters(a)), LAYERS, _of(inputs.parameters)
    ),
    "model.memory_fp16": Quantity(
        "bytes", "2 B x parameters", _plain(lambda a: 2 * _parameters(a)), LAYERS, _of(inputs.parameters)
    ),
    "model.memory_4bit": Quantity(
        "bytes",
        "linear layers in 4 bits with their scales + the others in 16 bits",
        _plain(lambda a: _four_bit_bytes(a)),
        NOTHING,
        _of(inputs.four_bit_weights),
    ),
    "training.effective_batch_size": Quantity(
        "count",
        "micro-batch x gradient accumulation x data-parallel size",
        _plain(_effective_batch),
        NOTHING,
        _of(inputs.batch),
    ),
    "training.optimizer_steps": Quantity(
        "count",
        "max_steps, or epochs x steps per epoch",
        _plain(_counts("optimizer_steps")),
        PACKED,
        _of(inputs.examples),
    ),
    "training.examples_processed": Quantity(
        "count",
        "whole epochs + full updates of the last one",
        _plain(_counts("examples_processed")),
        PACKED,
        _of(inputs.examples),
    ),
    "training.epochs": Quantity(
        "ratio", "examples processed / examples", _plain(_counts("epochs")), PACKED, _of(inputs.examples)
    ),
    "training.duration": Quantity(
        "seconds",
        "start-up + weights + steps + checkpoints",
        _plain(lambda a: a.time.total_seconds),
        LENGTHS,
        _of(inputs.duration),
    ),
    "training.step_time": Quantity(
        "seconds",
        "FLOPs and bytes of one update on this hardware",
        _plain(lambda a: a.time.step_seconds),
        LENGTHS,
        _of(inputs.duration),
    ),
    "training.cost": Quantity("money", "billed time x price x instances", _training_cost, LENGTHS, _of(inputs.cost)),
    "training.memory_total": Quantity(
        "bytes",
        "process bytes of all GPUs of the job",
        _plain(lambda a: _memory_total(a)),
        "a measured run",
        _of(inputs.memory_total),
    ),
    "training.memory_per_gpu": Quantity(
        "bytes",
        "process bytes on the fullest GPU",
        _plain(lambda a: a.memory.fullest.process),
        "a measured run",
        _of(inputs.memory_per_gpu),
    ),
    "deployment.memory": Quantity(
        "bytes",
        "weights as served, before any KV cache",
        _plain(lambda a: a.serving.weights_bytes),
        NOTHING,
        _of(inputs.served_weights),
    ),
    "deployment.latency": Quantity(
        "seconds",
        "prefill of the typical prompt + decoding of the typical answer",
        _plain(lambda a: _latency(a)),
        "a measured answer",
        _of(inputs.latency),
    ),
    "deployment.hourly_cost": Quantity(
        "money",
        "price x instances",
        _serving_cost("hourly_cost"),
        "a price list",
        _of(lambda analysis: inputs.endpoint_cost(analysis, 1)),
    ),
    "deployment.daily_cost": Quantity(
        "money", "price x instances x 24 h", _serving_cost("daily_cost"), "a price list", _of(inputs.daily_cost)
    ),
    "deployment.monthly_cost": Quantity(
        "money", "price x instances x 720 h", _serving_cost("monthly_cost"), "a price list", _of(inputs.monthly_cost)
    ),
}


def _four_bit_bytes(analysis: Analysis) -> int:
    return weights_bytes(_architecture(analysis), "nf4")


def _latency(analysis: Analysis) -> Interval:
    answer = known(analysis.serving_plan.output_tokens, NO_ANSWER)
    reason = Missing(analysis.serving.unknown.get("latency_seconds", f"the time of {answer:g} tokens"), ENDPOINT)
    return known(analysis.serving.latency_seconds, reason)


def _memory_total(analysis: Analysis) -> Interval:
    total = sum((device.process for device in analysis.memory.devices), Interval.exact(0))
    return total * analysis.spec.instance.count


def quantity(key: str) -> Quantity | None:
    """The quantity that a key of `expect` names; None for an unknown key."""
    match = PRICE_KEY.fullmatch(key)
    if match:
        return _price_quantity(match[1], match[2])
    return QUANTITIES.get(key)


def text_of(kind: str, currency: str | None) -> Callable[[float], str]:
    """A function that formats a value of a kind for a message."""
    if kind in ("money", "rate"):
        suffix = "/h" if kind == "rate" else ""
        return lambda value: f"{Money(Decimal(str(value)), currency or '')}{suffix}"
    if kind == "count":
        return lambda value: number_text(f"{value:,.0f}")
    if kind == "ratio":
        return lambda value: number_text(f"{value:,.0f}") if float(value).is_integer() else significant(value, 4)
    return bytes_text if kind == "bytes" else seconds_text

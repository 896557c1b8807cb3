"""The memory, speed and cost of an endpoint, as rows."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.estimators.serving.after_training import AfterTraining
from hbspec.estimators.serving.cost import Charge, Charges
from hbspec.estimators.serving.curve import Held
from hbspec.estimators.serving.endpoint import Serving
from hbspec.estimators.serving.load import Load
from hbspec.language import phrase, spoken
from hbspec.render.bars import Filling, letters
from hbspec.render.lines import Line
from hbspec.render.memory import VERDICTS, filled
from hbspec.render.rows import Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import Money, bytes_text, count_text, counted, interval_text, seconds_text, significant


def serving_lines(serving: Serving, within: Held | None, width: int | None) -> Iterator[Line]:
    """The section of the endpoint: verdict, memory, speed alone and under load, money.

    Args:
        serving: the estimate.
        within: what is answered within the latency that the spec expects; None where it expects none.
        width: columns; None without a limit.
    """
    yield from section("Serving", width, *VERDICTS[serving.verdict])
    filling = Filling(serving.terms, serving.memory.expected, serving.memory.high, serving.usable)
    yield from filled(filling, letters(serving.terms), width)
    yield from rows(endpoint_rows(serving, within), width)


def endpoint_rows(serving: Serving, within: Held | None) -> Iterator[Row]:
    """Memory, speed alone and under load, and money, as far as they are known."""
    yield from _memory(serving)
    yield from _alone(serving)
    if serving.load:
        yield from _loaded(serving.load)
    if within:
        yield _within(within)
    if serving.charges:
        yield from _money(serving.charges, serving.cost_per_1000_answers, serving.load)


def evaluation_lines(evaluation: AfterTraining, width: int | None) -> Iterator[Line]:
    """The section of the evaluation after training."""
    yield from section("Evaluation", width, "after training, not part of the training's bill")
    yield from rows(evaluation_rows(evaluation), width)


def evaluation_rows(evaluation: AfterTraining) -> Iterator[Row]:
    """What the evaluation asks, how long it takes, and what it costs."""
    yield (
        "items",
        count_text(evaluation.items),
        phrase("of all suites, {number} at once", number=evaluation.concurrency),
    )
    yield "time", interval_text(evaluation.seconds, seconds_text), "at the endpoint, with answers of typical length"
    if evaluation.cost:
        yield "cost", _range(evaluation.cost), "of the endpoint meanwhile"
    else:
        yield "cost", phrase("not known"), "no price of the endpoint's instances is known"
    for name, reason in evaluation.left_out.items():
        yield "left out", spoken(name), reason


def _memory(serving: Serving) -> Iterator[Row]:
    of = "" if serving.usable is None else phrase("of {capacity} usable", capacity=bytes_text(serving.usable))
    yield "memory per GPU", interval_text(serving.memory, bytes_text), of
    if serving.loading is not None:
        yield "while loading", interval_text(serving.loading, bytes_text), "weights are quantised as they are loaded"
    if serving.budget is not None:
        yield "engine budget", bytes_text(serving.budget), ""
    yield "KV cache per token", bytes_text(serving.kv_bytes_per_token), ""
    if serving.kv_bytes_needed is not None:
        yield "KV cache needed", bytes_text(serving.kv_bytes_needed), "all requests of max_model_len"
    if serving.largest_context is not None:
        yield "longest context", phrase("{number} tokens", number=count_text(serving.largest_context)), "one request"
    if serving.largest_concurrency is not None:
        yield "concurrent requests", count_text(serving.largest_concurrency), "of max_model_len"


def _alone(serving: Serving) -> Iterator[Row]:
    if serving.prefill_seconds:
        yield "prefill", interval_text(serving.prefill_seconds, seconds_text), "one request"
    if serving.first_token_seconds:
        yield "first token", interval_text(serving.first_token_seconds, seconds_text), "one request"
    if serving.decode_tokens_per_second:
        yield "tokens per second", interval_text(serving.decode_tokens_per_second, significant), "one request"
    if serving.latency_seconds:
        yield "typical answer", interval_text(serving.latency_seconds, seconds_text), "one request"


def _loaded(load: Load) -> Iterator[Row]:
    yield "concurrent requests", count_text(load.largest_concurrency), "of typical length"
    at = phrase("{number} concurrent", number=count_text(load.concurrency))
    if load.concurrency > 1:
        yield "first token", interval_text(load.first_token_seconds, seconds_text), at
        yield (
            "tokens per second",
            interval_text(load.request_tokens_per_second, significant),
            phrase("per request, {at}", at=at),
        )
        yield "typical answer", interval_text(load.latency_seconds, seconds_text), at
    rate = interval_text(load.tokens_per_second, significant)
    yield "tokens per second", rate, phrase("per instance, {at}, including prefill", at=at)
    yield "requests per hour", interval_text(load.requests_per_hour, significant), phrase("per instance, {at}", at=at)


def _within(held: Held) -> Row:
    """The requests that are answered in time even by the high end of the latency, and by the expected one."""
    sure, expected = count_text(held.sure), count_text(held.expected)
    numbers = sure if sure == expected else phrase("{sure} (expected {expected})", sure=sure, expected=expected)
    return phrase("within {seconds}", seconds=seconds_text(held.seconds)), numbers, "concurrent requests"


def _money(charges: Charges, answers: Charge | None, load: Load | None) -> Iterator[Row]:
    longer = phrase("{daily} per day, {monthly} per month", daily=charges.daily, monthly=charges.monthly)
    yield "cost", f"{charges.hourly}/h", longer
    if charges.baseline:
        yield "of it baseline", f"{charges.baseline}/h", "of instances that are billed already"
    hourly, monthly = charges.scaled["hourly"], charges.scaled["monthly"]
    if hourly.low != hourly.high:
        yield "with autoscaling", f"{_range(hourly)}/h", phrase("{amount} per month", amount=_range(monthly))
    if answers and load:
        requests = counted(load.concurrency, "request")
        yield "1,000 answers", _range(answers), phrase("at {requests} at any time", requests=requests)
    for name, reason in charges.left_out.items():
        yield "left out", spoken(printable(name)), printable(reason)


def _range(charge: Charge) -> str:
    low, high = Money(charge.low, charge.currency), Money(charge.high, charge.currency)
    return phrase("{low} to {high}", low=low, high=high)

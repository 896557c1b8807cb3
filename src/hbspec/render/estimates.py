"""What a job needs, takes and costs, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from hbspec.analysis.advice import Advice
from hbspec.analysis.software import Dependence
from hbspec.catalog.parameters import total_parameters
from hbspec.claims import Claim
from hbspec.diagnostics import route_text
from hbspec.estimators.cost import Cost
from hbspec.estimators.host import Host
from hbspec.estimators.memory import Memory
from hbspec.estimators.serving import Serving
from hbspec.estimators.storage import Storage
from hbspec.estimators.time import NOT_BILLED, Time
from hbspec.plan import Assumption, Plan, UnitPrice
from hbspec.render.advice import advice_lines
from hbspec.render.bars import Filling, letters
from hbspec.render.lines import Line, wrapped
from hbspec.render.memory import VERDICTS, filled, host_lines, memory_lines, software_lines, words
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.render.settings import scalar_text
from hbspec.source.excerpts import printable
from hbspec.units import Money, bytes_text, count_text, interval_text, seconds_text, significant

CLAIMS = {"confirmed": "good", "contradicted": "bad", "undecided": "open", "unknown": "open", "malformed": "bad"}


class Estimated(Protocol):
    """The shape of `hbspec.api.Estimates`."""

    @property
    def plan(self) -> Plan: ...  # noqa: D102
    @property
    def memory(self) -> Memory | None: ...  # noqa: D102
    @property
    def time(self) -> Time | None: ...  # noqa: D102
    @property
    def cost(self) -> Cost | None: ...  # noqa: D102
    @property
    def serving(self) -> Serving | None: ...  # noqa: D102
    @property
    def claims(self) -> tuple[Claim, ...]: ...  # noqa: D102
    @property
    def assumed(self) -> tuple[Assumption, ...]: ...  # noqa: D102
    @property
    def unknown(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def host(self) -> Host | None: ...  # noqa: D102
    @property
    def storage(self) -> Storage | None: ...  # noqa: D102
    @property
    def advice(self) -> Advice | None: ...  # noqa: D102
    @property
    def dependences(self) -> tuple[Dependence, ...]: ...  # noqa: D102


def estimate_lines(estimates: Estimated, width: int | None = None) -> Iterator[Line]:
    """The whole page: plan, memory and what would change it, time, cost, serving, claims, assumptions, gaps."""
    plan = estimates.plan
    yield from _head(plan, width)
    yield from section("Plan", width)
    yield from rows(_counts(plan), width)
    if estimates.memory:
        yield from memory_lines(estimates.memory, width)
    if estimates.advice:
        yield from advice_lines(estimates.advice, width)
    yield from software_lines(estimates.dependences, width)
    yield from host_lines(estimates.host, estimates.storage, width)
    if estimates.time:
        yield from section("Time", width, interval_text(estimates.time.total_seconds, seconds_text))
        yield from rows(_time(estimates.time), width)
    if estimates.cost:
        yield from section("Cost", width, _amounts(estimates.cost, estimates.cost.currency))
        yield from rows((*_cost(estimates.cost), *_price(plan.price)), width)
    elif plan.price:
        yield from section("Cost", width, *VERDICTS["unknown"])
        yield from rows(_price(plan.price), width)
    if estimates.serving:
        yield from _serving(estimates.serving, width)
    yield from _claims(estimates.claims, width)
    if estimates.assumed:
        yield from section("Assumed", width)
        yield from rows(_assumed(estimates.assumed), width)
    serving = estimates.serving.unknown if estimates.serving else {}
    unknown = {**plan.unknown, **estimates.unknown, **serving}
    if unknown:
        yield from section("Not known", width)
        yield from rows(_needs(unknown), width)


def _needs(unknown: Mapping[str, str]) -> Iterator[Row]:
    """What is not known, by what it needs."""
    needing: dict[str, list[str]] = {}
    for name, reason in unknown.items():
        needing.setdefault(reason, []).append(words(name))
    for reason, names in needing.items():
        yield ", ".join(names), "", f"needs {printable(reason)}"


def _head(plan: Plan, width: int | None) -> Iterator[Line]:
    yield (("title", printable(plan.name)),)
    where = plan.hardware.name if plan.hardware else "hardware not known"
    if plan.hardware and plan.hardware.instances > 1:
        where = f"{plan.hardware.instances} x {where}"
    parts = [printable(plan.model), f"on {printable(where)}", plan.parallelism, plan.region or ""]
    yield from wrapped((("", ", ".join(part for part in parts if part).replace(", on ", " on ", 1)),), width, len(LEAD))


def _counts(plan: Plan) -> Iterator[Row]:
    training, counts = plan.training, plan.counts
    if plan.effective_batch_size is not None:
        how = f"{training.micro_batch:,} x {training.gradient_accumulation:,} accumulated x {_processes(plan)}"
        yield "effective batch", count_text(plan.effective_batch_size), how
    if counts:
        yield "optimizer steps", count_text(counts.optimizer_steps), f"{counts.steps_per_epoch:,} an epoch"
        yield "examples", count_text(counts.examples_processed), f"nominally {counts.nominal_examples:,}"
        yield "epochs", significant(counts.epochs), f"nominally {significant(counts.nominal_epochs)}"
    yield "tokens of a row", interval_text(plan.row_tokens, significant), plan.lengths.source
    if plan.padded_tokens:
        yield "tokens computed", interval_text(plan.padded_tokens, _about), "padding included"
    if plan.architecture is not None:
        parameters = total_parameters(plan.architecture)
        yield "parameters", count_text(parameters), f"{bytes_text(2 * parameters)} in 16 bits"
    if plan.trainable_parameters is not None:
        saved = [("result", plan.adapter_bytes), ("checkpoint", plan.checkpoint_bytes)]
        sizes = ", ".join(f"{name} {bytes_text(size)}" for name, size in saved if size is not None)
        yield "trained parameters", count_text(plan.trainable_parameters), sizes


def _processes(plan: Plan) -> str:
    size = plan.data_parallel_size
    return "1 process" if size == 1 else f"{size:,} processes with data of their own"


def _about(count: float) -> str:
    return count_text(float(f"{count:.3g}"))


def _time(time: Time) -> Iterator[Row]:
    yield "one update", interval_text(time.step_seconds, seconds_text), ""
    rate = interval_text(time.tokens_per_second_per_gpu, significant)
    yield "tokens a second and GPU", rate, "padding excluded"
    for name, took in time.phases.items():
        yield words(name), interval_text(took, seconds_text), "not billed" if name in NOT_BILLED else ""
    yield "billed", interval_text(time.billed_seconds, seconds_text), ""


def _amounts(item: Any, currency: str) -> str:
    """`low to high (expected …)` of a bill or one of its items."""
    if item.low == item.high:
        return str(Money(item.expected, currency))
    low, expected, high = (Money(amount, currency) for amount in (item.low, item.expected, item.high))
    return f"{low} to {high} (expected {expected})"


def _cost(cost: Cost) -> Iterator[Row]:
    for item in cost.items:
        yield item.name, _amounts(item, cost.currency), item.note


def _price(price: UnitPrice | None) -> Iterator[Row]:
    if price:
        when = f", as of {price.as_of}" if price.as_of else ""
        yield "price", str(price.rate), f"{price.basis}{when}: {printable(price.source)}"


def _serving(serving: Serving, width: int | None) -> Iterator[Line]:
    yield from section("Serving", width, *VERDICTS[serving.verdict])
    filling = Filling(serving.terms, serving.memory.expected, serving.memory.high, serving.usable)
    yield from filled(filling, letters(serving.terms), width)
    yield from rows(_served(serving), width)


def _served(serving: Serving) -> Iterator[Row]:
    of = "" if serving.usable is None else f"of {bytes_text(serving.usable)} usable"
    yield "memory of a GPU", interval_text(serving.memory, bytes_text), of
    if serving.budget is not None:
        yield "budget of the engine", bytes_text(serving.budget), ""
    yield "cache of a token", bytes_text(serving.kv_bytes_per_token), ""
    if serving.kv_bytes_needed is not None:
        yield "cache needed", bytes_text(serving.kv_bytes_needed), "all requests at their longest"
    if serving.largest_context is not None:
        yield "longest context", f"{count_text(serving.largest_context)} tokens", "of one request"
    if serving.largest_concurrency is not None:
        yield "requests at once", count_text(serving.largest_concurrency), "at their longest"
    if serving.prefill_seconds:
        yield "reading the prompt", interval_text(serving.prefill_seconds, seconds_text), ""
    if serving.decode_tokens_per_second:
        yield "tokens a second", interval_text(serving.decode_tokens_per_second, significant), "of one request"
    if serving.latency_seconds:
        yield "typical answer", interval_text(serving.latency_seconds, seconds_text), ""
    if serving.hourly_cost and serving.daily_cost and serving.monthly_cost:
        yield "cost", f"{serving.hourly_cost}/h", f"{serving.daily_cost} a day, {serving.monthly_cost} a month"


def _claims(claims: Iterable[Claim], width: int | None) -> Iterator[Line]:
    claims = tuple(claims)
    if not claims:
        return
    yield from section("Claims", width)
    for claim in claims:
        said = f"  {printable(claim.key)}: {printable(claim.believed)}"
        found = f"; computed {claim.computed_text}" if claim.computed else f"; {printable(claim.reason)}"
        verdict = (CLAIMS[claim.verdict], f"{LEAD}{claim.verdict:<12}")
        yield from wrapped((verdict, ("", said), ("faint", found)), width, 2 * len(LEAD))


def _assumed(assumed: Iterable[Assumption]) -> Iterator[Row]:
    for entry in assumed:
        yield route_text(entry.route), scalar_text(entry.value), entry.source

"""The answer of an estimate in a few sentences: whether the job fits, how long it takes, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hbspec.estimators.verdict import Verdict
from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD
from hbspec.source.excerpts import printable
from hbspec.units import Interval, Money, about_text, bytes_text, money_text, seconds_text

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.estimators.job.cost import Cost
    from hbspec.estimators.job.time import Time
    from hbspec.estimators.serving.endpoint import Serving
    from hbspec.estimators.training.devices import Memory

STYLES = {Verdict.FITS: "good", Verdict.TIGHT: "open", Verdict.DOES_NOT_FIT: "bad", Verdict.UNKNOWN: "open"}
OF_HOST = {
    Verdict.FITS: "suffices",
    Verdict.TIGHT: "may not suffice",
    Verdict.DOES_NOT_FIT: "does not suffice",
    Verdict.UNKNOWN: "is not known to suffice",
}
OF_ENDPOINT = {
    Verdict.FITS: "Its endpoint fits",
    Verdict.TIGHT: "Its endpoint may not fit",
    Verdict.DOES_NOT_FIT: "Its endpoint does not fit",
    Verdict.UNKNOWN: "Whether its endpoint fits is not known",
}


class Sentence(NamedTuple):
    """The words that answer a question, in their style, and the figures behind them."""

    style: str
    answer: str
    figures: str

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.answer}{self.figures}."


def answer(estimates: Estimates) -> Iterator[Sentence]:
    """Three sentences, on memory, time and cost, and a fourth on the endpoint where the spec has one.

    Time and cost of a job that does not fit are those that it would have if it did. What is not known is said to be so.
    """
    memory, unknown = estimates.memory, estimates.unknown
    yield _fits(estimates, memory) if memory else _not_known("Whether it fits", unknown.get("memory"))
    would = memory is not None and memory.verdict is Verdict.DOES_NOT_FIT
    if estimates.time:
        yield _takes(estimates.time, "would take" if would else "takes")
    else:
        yield _not_known("How long it takes", unknown.get("time"))
    if estimates.cost:
        yield _costs(estimates, estimates.cost, "would cost" if would else "costs")
    else:
        yield _not_known("What it costs", unknown.get("cost"))
    if estimates.serving:
        yield _endpoint(estimates.serving)


def answer_lines(estimates: Estimates, width: int | None) -> Iterator[Line]:
    """The sentences, one on each line."""
    for style, said, figures in answer(estimates):
        yield from wrapped(((style, said), ("", f"{figures}.")), width, 2 * len(LEAD))


def _not_known(question: str, reason: str | None) -> Sentence:
    needs = f": it needs {printable(reason)}" if reason else ""
    return Sentence("open", f"{question} is not known", needs)


def _fits(estimates: Estimates, memory: Memory) -> Sentence:
    """Whether the GPUs, the host's memory and its disk suffice; what does not is named."""
    gpu, beside = memory.fullest, tuple(_beside(estimates))
    of = "" if gpu.usable is None else f" of {bytes_text(gpu.usable)}"
    lacking = [text for found, text in beside if found is not Verdict.FITS]
    style, said = _verdict(memory, [found for found, _ in beside])
    if unread := _unread(estimates, memory):
        style, said, lacking = "open", f"{said}, as far as the file is understood", [*lacking, unread]
    figures = [f": the fullest GPU needs {about_text(gpu.process, bytes_text)}{of}", *lacking]
    return Sentence(style, said, "; ".join(figures))


def _unread(estimates: Estimates, memory: Memory) -> str:
    """The keys of another program's file that may make the verdict on memory another; empty without any."""
    translated = estimates.analysis.document.translated
    change = "less" if memory.verdict is Verdict.DOES_NOT_FIT else "more"
    keys = translated.may_need(change) if translated else ""
    return f"{keys} may need {change}" if keys else ""


def _verdict(memory: Memory, beside: list[Verdict]) -> tuple[str, str]:
    """Style and words of the verdict over GPUs and host; an unknown capacity is not taken for one that suffices."""
    if Verdict.DOES_NOT_FIT in (memory.verdict, *beside):
        return "bad", "It does not fit"
    if memory.verdict is Verdict.UNKNOWN:
        return "open", "Whether it fits is not known"
    if memory.verdict is Verdict.TIGHT:
        fails = any(device.expected_to_fail for device in memory.devices)
        return "open", "It is not expected to fit" if fails else "It is expected to fit, but may not"
    return ("good", "It fits") if all(found is Verdict.FITS for found in beside) else ("open", "It fits on the GPUs")


def _beside(estimates: Estimates) -> Iterator[tuple[Verdict, str]]:
    """The verdicts of the host's memory and of its disk, in words."""
    host, disk = estimates.host, estimates.storage
    if host is not None:
        yield host.verdict, f"the host's memory {OF_HOST[host.verdict]}{_of(host.memory, host.capacity)}"
    if disk is not None:
        yield disk.verdict, f"the disk {OF_HOST[disk.verdict]}{_of(disk.needed, disk.capacity)}"


def _of(needed: Interval, capacity: int | None) -> str:
    room = "" if capacity is None else f" of {bytes_text(capacity)}"
    return f" ({bytes_text(needed.expected)}{room} needed)"


def _takes(time: Time, verb: str) -> Sentence:
    figures = about_text(time.total_seconds, seconds_text)
    if time.limit is None or not time.may_be_stopped:
        return Sentence("", f"It {verb}", f" {figures}")
    return Sentence("open", f"It {verb}", f" {figures}; max_runtime ({seconds_text(time.limit)}) may stop it earlier")


def _costs(estimates: Estimates, cost: Cost, verb: str) -> Sentence:
    """The bill, and whether the budget pays for it."""
    low, high, expected = money_text(cost.low), money_text(cost.high), Money(cost.expected, cost.currency)
    amounts = f" {expected}" if low == high else f" about {expected} ({low} to {high})"
    budget = estimates.analysis.spec.budget
    if budget is None or budget.max_cost.currency != cost.currency:
        return Sentence("", f"It {verb}", amounts)
    limit = budget.max_cost
    if cost.high <= limit.amount:
        return Sentence("good", f"It {verb}", f"{amounts}, within the budget of {limit}")
    if cost.low > limit.amount:
        return Sentence("bad", f"It {verb}", f"{amounts}, above the budget of {limit}")
    return Sentence("open", f"It {verb}", f"{amounts}, perhaps above the budget of {limit}")


def _endpoint(serving: Serving) -> Sentence:
    """Whether the requests that the endpoint is sized for fit on each of its GPUs, and what its instances cost."""
    of = "" if serving.usable is None else f" of {bytes_text(serving.usable)}"
    price = f", at {serving.charges.hourly}/h" if serving.charges else ""
    figures = f": a GPU needs {about_text(serving.memory, bytes_text)}{of}{price}"
    return Sentence(STYLES[serving.verdict], OF_ENDPOINT[serving.verdict], figures)

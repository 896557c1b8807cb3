"""The answer of an estimate in a few sentences: whether the job fits, how long it takes, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hbspec.estimators.training.devices import Expectation
from hbspec.estimators.verdict import Verdict
from hbspec.language import apart, phrase, spoken, together
from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD
from hbspec.source.excerpts import printable
from hbspec.units import Interval, Money, about_text, bytes_text, money_text, seconds_text

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.estimators.job.cost import Cost
    from hbspec.estimators.job.time import Time
    from hbspec.estimators.serving.endpoint import Serving
    from hbspec.estimators.training.devices import DeviceMemory, Memory

STYLES = {Verdict.FITS: "good", Verdict.TIGHT: "open", Verdict.DOES_NOT_FIT: "bad", Verdict.UNKNOWN: "open"}
OF_TIGHT = {
    Expectation.FITS: "It is expected to fit, but may not",
    Expectation.WITHOUT_RESERVE: "It may not fit",
    Expectation.DOES_NOT_FIT: "It is not expected to fit",
}
"""What is said of a job that is neither certain to fit nor certain not to."""

OF_HOST = {
    Verdict.FITS: "the host's memory suffices",
    Verdict.TIGHT: "the host's memory may not suffice",
    Verdict.DOES_NOT_FIT: "the host's memory does not suffice",
    Verdict.UNKNOWN: "the host's memory is not known to suffice",
}
OF_DISK = {
    Verdict.FITS: "the disk suffices",
    Verdict.TIGHT: "the disk may not suffice",
    Verdict.DOES_NOT_FIT: "the disk does not suffice",
    Verdict.UNKNOWN: "the disk is not known to suffice",
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
        return together(self.answer, self.figures, ".")


def answer(estimates: Estimates) -> Iterator[Sentence]:
    """Three sentences, on memory, time and cost, and a fourth on the endpoint where the spec has one.

    Time and cost of a job that does not fit are those that it would have if it did. What is not known is said to be so.
    """
    memory, unknown = estimates.memory, estimates.unknown
    yield _fits(estimates, memory) if memory else _not_known("Whether it fits is not known", unknown.get("memory"))
    would = memory is not None and memory.verdict is Verdict.DOES_NOT_FIT
    if estimates.time:
        yield _takes(estimates.time, "It would take" if would else "It takes")
    else:
        yield _not_known("How long it takes is not known", unknown.get("time"))
    if estimates.cost:
        yield _costs(estimates, estimates.cost, "It would cost" if would else "It costs")
    else:
        yield _not_known("What it costs is not known", unknown.get("cost"))
    if estimates.serving:
        yield _endpoint(estimates.serving)


def answer_lines(estimates: Estimates, width: int | None) -> Iterator[Line]:
    """The sentences, one on each line."""
    for style, said, figures in answer(estimates):
        yield from wrapped(((style, said), ("", f"{figures}.")), width, 2 * len(LEAD))


def _not_known(said: str, reason: str | None) -> Sentence:
    needs = phrase(": it needs {reason}", reason=spoken(printable(reason))) if reason else ""
    return Sentence("open", spoken(said), needs)


def _fits(estimates: Estimates, memory: Memory) -> Sentence:
    """Whether the GPUs, the host's memory and its disk suffice; what does not is named."""
    gpu, beside = memory.fullest, tuple(_beside(estimates))
    lacking = [text for found, text in beside if found is not Verdict.FITS]
    style, said = _verdict(memory, [found for found, _ in beside])
    if unread := _unread(estimates, memory):
        style, lacking = "open", [*lacking, unread]
        said = phrase("{verdict}, as far as the file is understood", verdict=said)
    return Sentence(style, said, apart([_needed(gpu, bounded=estimates.plan.between is not None), *lacking]))


def _needed(gpu: DeviceMemory, *, bounded: bool) -> str:
    """What the fullest GPU needs; where only the allocator's reserve is expected to exceed it, without that and with.

    Args:
        gpu: the GPU.
        bounded: whether the model lies between others, so that nothing is known of its tensors alone.
    """
    process = about_text(gpu.process, bytes_text)
    if gpu.usable is not None and gpu.expectation is Expectation.WITHOUT_RESERVE and not bounded:
        return phrase(
            ": of {capacity}, the fullest GPU needs about {tensors} for tensors and the CUDA context, and {process} "
            "with what the allocator would reserve beside them",
            capacity=bytes_text(gpu.usable),
            tensors=bytes_text(gpu.needed),
            process=process,
        )
    of = "" if gpu.usable is None else phrase(" of {capacity}", capacity=bytes_text(gpu.usable))
    return phrase(": the fullest GPU needs {needed}{of}", needed=process, of=of)


def _unread(estimates: Estimates, memory: Memory) -> str:
    """The keys of another program's file that may make the verdict on memory another; empty without any."""
    translated = estimates.analysis.document.translated
    change = "less" if memory.verdict is Verdict.DOES_NOT_FIT else "more"
    keys = translated.may_need(change) if translated else ""
    if not keys:
        return ""
    return phrase("{keys} may need less", keys=keys) if change == "less" else phrase("{keys} may need more", keys=keys)


def _verdict(memory: Memory, beside: list[Verdict]) -> tuple[str, str]:
    """Style and words of the verdict over GPUs and host; an unknown capacity is not taken for one that suffices."""
    if Verdict.DOES_NOT_FIT in (memory.verdict, *beside):
        return "bad", phrase("It does not fit")
    if memory.verdict is Verdict.UNKNOWN:
        return "open", phrase("Whether it fits is not known")
    if memory.verdict is Verdict.TIGHT:
        return "open", spoken(OF_TIGHT[memory.expectation])
    if all(found is Verdict.FITS for found in beside):
        return "good", phrase("It fits")
    return "open", phrase("It fits on the GPUs")


def _beside(estimates: Estimates) -> Iterator[tuple[Verdict, str]]:
    """The verdicts of the host's memory and of its disk, in words."""
    host, disk = estimates.host, estimates.storage
    if host is not None:
        yield host.verdict, together(spoken(OF_HOST[host.verdict]), _of(host.memory, host.capacity))
    if disk is not None:
        yield disk.verdict, together(spoken(OF_DISK[disk.verdict]), _of(disk.needed, disk.capacity))


def _of(needed: Interval, capacity: int | None) -> str:
    need = bytes_text(needed.expected)
    if capacity is None:
        return phrase(" ({needed} needed)", needed=need)
    return phrase(" ({needed} of {capacity} needed)", needed=need, capacity=bytes_text(capacity))


def _takes(time: Time, said: str) -> Sentence:
    figures = about_text(time.total_seconds, seconds_text)
    if time.limit is None or not time.may_be_stopped:
        return Sentence("", spoken(said), together(" ", figures))
    limit = seconds_text(time.limit)
    if time.stopped_at("low"):
        stops = phrase(" {figures}; max_runtime ({limit}) stops it before it ends", figures=figures, limit=limit)
    elif time.stopped_at("expected"):
        stops = phrase(" {figures}; max_runtime ({limit}) is expected to stop it", figures=figures, limit=limit)
    else:
        stops = phrase(" {figures}; max_runtime ({limit}) may stop it earlier", figures=figures, limit=limit)
    return Sentence("open", spoken(said), stops)


def stopped(time: Time | None) -> str:
    """That a job is stopped before it ends, in a sentence without its point; empty where it is not or may not be."""
    if time is None or time.limit is None or not time.may_be_stopped:
        return ""
    limit = seconds_text(time.limit)
    if time.stopped_at("low"):
        return phrase("It is stopped at its max_runtime of {limit} before it ends", limit=limit)
    if time.stopped_at("expected"):
        return phrase("It is expected to be stopped at its max_runtime of {limit} before it ends", limit=limit)
    return phrase("It may be stopped at its max_runtime of {limit} before it ends", limit=limit)


def _costs(estimates: Estimates, cost: Cost, said: str) -> Sentence:
    """The bill, and whether the budget pays for it."""
    low, high, expected = money_text(cost.low), money_text(cost.high), Money(cost.expected, cost.currency)
    about = phrase("about {expected} ({low} to {high})", expected=expected, low=low, high=high)
    amounts = together(" ", str(expected) if low == high else about)
    if estimates.time is not None and estimates.time.may_be_stopped:
        amounts = phrase("{amounts}, cut at max_runtime", amounts=amounts)
    budget, said = estimates.analysis.spec.budget, spoken(said)
    if budget is None or budget.max_cost.currency != cost.currency:
        return Sentence("", said, amounts)
    limit = budget.max_cost
    if cost.high <= limit.amount:
        if estimates.time is not None and estimates.time.stopped_at("expected"):  # to its end it may cost more
            return Sentence("open", said, phrase("{amounts}, before the job is expected to end", amounts=amounts))
        return Sentence("good", said, phrase("{amounts}, within the budget of {limit}", amounts=amounts, limit=limit))
    if cost.low > limit.amount:
        return Sentence("bad", said, phrase("{amounts}, above the budget of {limit}", amounts=amounts, limit=limit))
    beyond = phrase("{amounts}, perhaps above the budget of {limit}", amounts=amounts, limit=limit)
    return Sentence("open", said, beyond)


def _endpoint(serving: Serving) -> Sentence:
    """Whether the requests that the endpoint is sized for fit on each of its GPUs, and what its instances cost."""
    of = "" if serving.usable is None else phrase(" of {capacity}", capacity=bytes_text(serving.usable))
    price = phrase(", at {hourly}/h", hourly=serving.charges.hourly) if serving.charges else ""
    needed = about_text(serving.memory, bytes_text)
    figures = phrase(": a GPU needs {needed}{of}{price}", needed=needed, of=of, price=price)
    return Sentence(STYLES[serving.verdict], spoken(OF_ENDPOINT[serving.verdict]), figures)

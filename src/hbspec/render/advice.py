"""Changes to a spec, each with the memory, time and cost that it would lead to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hbspec.estimators.verdict import Verdict
from hbspec.render.lines import Line, wrapped
from hbspec.render.memory import VERDICTS
from hbspec.render.rows import LEAD, section
from hbspec.render.settings import settings_text
from hbspec.search.advice import FIT, Advice, Outcome
from hbspec.units import Money, bytes_text, interval_text, seconds_text, significant


def advice_lines(advice: Advice, width: int | None) -> Iterator[Line]:
    """The changes, each with its settings, its figures and their difference from the current spec.

    Costs are those of the whole job, also where the limit may stop it: being stopped early saves nothing.
    """
    yield from section(_heading(advice), width, f"{advice.tried} tried", "faint")
    if not advice.outcomes:
        nothing = (
            "no change is certain to make it fit, alone or combined with another"
            if advice.purpose == FIT
            else "none of these saves money, or time at no extra cost; `hbspec optimize` searches all plans"
        )
        yield from wrapped((("", f"{LEAD}{nothing}"),), width, 2 * len(LEAD))
    for outcome in advice.outcomes:
        yield from wrapped((("title", f"{LEAD}{settings_text(outcome.change)}"),), width, 2 * len(LEAD))
        word, style = VERDICTS[outcome.memory.verdict]
        figures = ", ".join(_figures(outcome, advice.now))
        remark = f"; {outcome.change.remark}" if outcome.change.remark else ""
        stopped = f"; {said}" if (said := _stopped(outcome)) else ""
        line: Line = (("", 2 * LEAD), (style, word), ("", f", {figures}"), ("open", stopped), ("faint", remark))
        yield from wrapped(line, width, 2 * len(LEAD))


def _heading(advice: Advice) -> str:
    if advice.purpose != FIT:
        return "Best uses of the headroom"
    if any(outcome.memory.verdict is not Verdict.FITS for outcome in advice.outcomes):
        return "Closest to fitting"
    return "Cheapest changes that make it fit"


def _figures(then: Outcome, now: Outcome) -> Iterator[str]:
    yield interval_text(then.memory.fullest.process, bytes_text)
    seconds, bill, before = (then.burden.seconds, *(each.burden.whole or each.burden.cost for each in (then, now)))
    if seconds is not None:
        yield f"{seconds_text(seconds)}{_longer(seconds, now.burden.seconds)}"
    if bill is not None:
        dearer = _dearer(bill.expected - before.expected, bill.currency) if before else ""
        yield f"{Money(bill.expected, bill.currency)}{dearer}"


def _stopped(outcome: Outcome) -> str:
    """That the runtime limit ends the job before the end that its time and cost are of."""
    time = outcome.burden.time
    if time is None or not time.may_be_stopped:
        return ""
    return "max_runtime is expected to stop it" if time.stopped_at("expected") else "max_runtime may stop it earlier"


def _longer(then: float, now: float | None) -> str:
    """The change in time, in percent."""
    if not now:
        return ""
    share = 100 * (then / now - 1)
    return f" ({'+' if share > 0 else '-'}{significant(abs(share), 2)} % time)" if abs(share) >= 0.1 else " (same time)"


def _dearer(amount: Decimal, currency: str) -> str:
    """The change in cost."""
    if not round(amount, 2):
        return " (same cost)"
    return f" ({Money(abs(amount), currency)} {'more' if amount > 0 else 'less'})"

"""A figure of a spec, and how far it is from that of another, in words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hbspec.comparison.figures import Figure
from hbspec.comparison.parts import Difference
from hbspec.language import phrase, together
from hbspec.units import Money, about_text, bytes_text, count_text, seconds_text, significant


def value_text(figure: Figure, number: int) -> str:
    """The figure of one spec, in words."""
    value = figure.values[number]
    if value is None:
        return phrase("no endpoint") if figure.absent and figure.absent[number] else phrase("not known")
    limit = figure.limits[number] if figure.limits else None
    said = about_text(value, _text(figure, number))
    if figure.cut and figure.cut[number]:
        said = phrase("{amounts}, cut at max_runtime", amounts=said)
    return said if limit is None else together(said, phrase(" of {capacity}", capacity=bytes_text(limit)))


def difference_text(figure: Figure, number: int, first: str) -> str:
    """The difference of one spec's figure from the first one's, in words; empty where one of them is not known."""
    found = figure.differences[number]
    if found is None:
        is_known = None not in (figure.values[0], figure.values[number])
        return phrase("not compared: another currency") if is_known else ""
    said = apart_text(figure, number, first)
    return said if found.same or found.certain else phrase("not certain: {difference}", difference=said)


def apart_text(figure: Figure, number: int, first: str) -> str:
    """The difference of one spec's figure from that of another, both of which are known, certain or not."""
    found, text = figure.differences[number], _text(figure, number)
    if found is None or found.same:
        return phrase("the same as {first}", first=first)
    return _signed(found, text, first) if found.certain else _uncertain(found, text, first)


def _signed(found: Difference, text: Callable[[float], str], first: str) -> str:
    interval = found.interval
    least, most = sorted((abs(interval.low), abs(interval.high)))
    size = text(abs(interval.expected))
    if interval.low > 0:
        expected = phrase("{size} more than {first}", size=size, first=first)
    else:
        expected = phrase("{size} less than {first}", size=size, first=first)
    if text(least) == text(most):
        return expected
    return phrase("{expected} ({low} to {high})", expected=expected, low=text(least), high=text(most))


def _uncertain(found: Difference, text: Callable[[float], str], first: str) -> str:
    low, high = abs(found.interval.low), abs(found.interval.high)
    return phrase("from {less} less to {more} more than {first}", less=text(low), more=text(high), first=first)


def _text(figure: Figure, number: int) -> Callable[[float], str]:
    """How a figure is spelled."""
    currency = figure.currencies[number] if figure.currencies else ""

    def money(amount: float) -> str:
        return str(Money(Decimal(str(amount)), currency or ""))

    def count(number: float) -> str:
        return count_text(number) if float(number).is_integer() else significant(number)

    return {"bytes": bytes_text, "seconds": seconds_text, "money": money, "number": count}[figure.unit]

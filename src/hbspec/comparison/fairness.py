"""What makes a comparison of specs unfair: they do not do the same work, or their figures do not rest on the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from hbspec.estimators.job.step_time import is_measured
from hbspec.language import apart, phrase, spoken
from hbspec.units import count_text, counted, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates

ALIKE = 0.01
"""The share by which numbers of examples may differ in the same work: what is dropped or repeated at the end of an
epoch is less than an update, and hundreds of updates make an epoch. The figures show the difference all the same."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(number: int) -> str:
    """The short name of a spec in a comparison: `A` of the first.

    >>> letter(0), letter(27)
    ('A', 'B2')
    """
    rounds, place = divmod(number, len(LETTERS))
    return LETTERS[place] + (str(rounds + 1) if rounds else "")


def unfair(found: Sequence[Estimates]) -> tuple[str, ...]:
    """A sentence for each thing that differs and that a comparison of times and costs passes over."""
    return tuple(_sentences(found))


def _sentences(found: Sequence[Estimates]) -> Iterator[str]:
    yield from _differing(found, lambda one: one.plan.model, "they train different models")
    yield from _differing(found, data_text, "they train on different data")
    yield from _other_work(found)
    yield from _differing(
        found, lambda one: one.plan.region or phrase("no region"), "prices are those of different regions"
    )
    yield from _differing(found, _market, "one runs on spot instances, whose prices are assumed")
    yield from _differing(found, _priced, "their prices are not from the same source")
    yield from _differing(found, _currency, "their costs are in different currencies, and are not compared")
    yield from _differing(found, _timed, "the speed of one is measured, of another estimated")


def _other_work(found: Sequence[Estimates]) -> Iterator[str]:
    """That they process other numbers of examples, beyond `ALIKE`, or that it is not known of each how many."""
    processed = [one.plan.counts.examples_processed for one in found if one.plan.counts]
    if processed and max(processed) - min(processed) > ALIKE * max(processed):
        yield from _differing(found, _work, "they do not process as many examples")
    if 0 < len(processed) < len(found):
        said = "whether they process as many examples is not known"
        yield from _differing(found, lambda one: _work(one) or phrase("not known"), said)


def _differing(found: Sequence[Estimates], of: Callable[[Estimates], str | None], sentence: str) -> Iterator[str]:
    """The sentence with what each has, if they do not all have the same; None is left out."""
    values: dict[str, list[str]] = {}
    for number, one in enumerate(found):
        if (has := of(one)) is not None:
            values.setdefault(has, []).append(letter(number))
    if len(values) > 1:
        each = [phrase("{specs}: {has}", specs=", ".join(who), has=what) for what, who in values.items()]
        yield phrase("{sentence}: {each}", sentence=spoken(sentence), each=apart(each))


def data_text(found: Estimates) -> str:
    """What a spec trains on: where it is, how many examples of which lengths, and its profile."""
    data, counts, profile = found.analysis.spec.data, found.plan.counts, found.analysis.profile
    where = data.train.uri if data.train and data.train.uri else phrase("data without a URI")
    parts = [where, *([counted(counts.examples, "example")] if counts else ())]
    mean = significant(found.plan.lengths.mean.expected)
    known = found.plan.lengths.known
    parts.append(phrase("{number} tokens on average", number=mean) if known else phrase("of unknown lengths"))
    if profile:
        parts.append(phrase("profile {digest}", digest=profile.digest.rpartition(":")[2][:12]))
    return ", ".join(parts)


def _work(found: Estimates) -> str | None:
    counts = found.plan.counts
    if counts is None:
        return None
    examples, epochs = count_text(counts.examples_processed), significant(counts.epochs)
    return phrase("{examples} ({epochs} epochs)", examples=examples, epochs=epochs)


def _market(found: Estimates) -> str:
    return spoken("spot" if found.plan.spot else "on demand")


def _priced(found: Estimates) -> str:
    price = found.plan.price
    return spoken("no price" if price is None else "the spec" if price.basis == "author" else "the catalog")


def _currency(found: Estimates) -> str | None:
    return found.cost.currency if found.cost else None


def _timed(found: Estimates) -> str:
    return spoken("measured" if is_measured(found.plan) else "estimated")

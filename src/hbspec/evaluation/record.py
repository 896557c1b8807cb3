"""Records of evaluations: read, checked for changes, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.analysis.release import ItemOutcome, read_record
from hbspec.evaluation.harness import harness

if TYPE_CHECKING:
    from paired import Compared

Asked = tuple[str, str]
"""An item and the digest of its prompt."""


class ComparedSuite(NamedTuple):
    """One suite of two records.

    Attributes:
        name: its name.
        shares: of right answers of the first and the second model, among the items that both were asked.
        left_out: items that only one of them was asked.
        found: the comparison.
    """

    name: str
    shares: tuple[float, float]
    left_out: int
    found: Compared

    def to_dict(self) -> dict[str, Any]:
        """The suite in `hbspec evaluation compare --format json`."""
        found = self.found._asdict()
        return {
            "suite": self.name,
            "share": list(self.shares),
            "left_out": self.left_out,
            **{name: value for name, value in found.items() if name != "ends"},
            "interval": self.found.ends and self.found.ends._asdict(),
        }


def compared(first: Path, second: Path) -> tuple[list[ComparedSuite], list[str]]:
    """The suites that both records have, the second model against the first; and suites that only one has.

    Raises:
        ValueError: a file is not a record, was changed, or the two were not asked the same.
    """
    before, after = (_suites(read_record(path)) for path in (first, second))
    both = [name for name in before if name in after]
    if not both:
        raise ValueError(f"{first} and {second} have no suite in common: evaluate both models by the same suites")
    alone = sorted(before.keys() ^ after.keys())
    return [_compared(name, before[name], after[name]) for name in both], alone


def _suites(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {suite["suite"]: suite for suite in record["suites"]}


def _compared(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> ComparedSuite:
    if before["digest"] != after["digest"]:
        raise ValueError(
            f"{name} is not the same suite in both records (its digests differ): evaluate both models anew"
        )
    first, second = (_outcomes(suite) for suite in (before, after))
    both = [asked for asked in first if asked in second]
    if not both:
        raise ValueError(f"{name}: the two models were asked no item in common: evaluate both with the same seed")
    one, two = ([outcomes[asked][1] for asked in both] for outcomes in (first, second))
    found: Compared = harness("paired").compare(one, two, [first[asked][0] for asked in both])
    shares = sum(one) / len(both), sum(two) / len(both)
    return ComparedSuite(name, shares, len(first) + len(second) - 2 * len(both), found)


def _outcomes(suite: Mapping[str, Any]) -> dict[Asked, tuple[str, bool]]:
    """The template of each item and whether its answer was right."""
    outcomes = [ItemOutcome(*found) for found in suite["outcomes"]]
    return {(one.item, one.prompt): (one.template, one.kind == "right") for one in outcomes}

"""The hourly price of an instance, in USD, on demand, before tax.

Few SageMaker prices are published, so a price is chosen among pieces of evidence, the most direct first:

1. a rate read for the component itself ("training" or "hosting");
2. the same type's rate for the other component: the two were equal wherever both were read;
3. the rate of SageMaker Studio, another dimension of the same price list, which differs at most by rounding;
4. EC2's on-demand price times the markup measured for the family and size (`markups.csv`: 1.15 for p4d, p4de, p5 and
   p5en, 1.40 for a g family's `.xlarge`, 1.25 for its other sizes, the same in every region where it was measured; p5en
   was measured once). A family without a measured pair (p5e, p6, g7, p3) has no price this way, and one is not guessed.

Within each piece, the newest rate that no later cut superseded is used. Newer evidence that is less direct confirms a
rate with which it agrees within `SAME_RATE`: the more direct number is kept with the later date (g4dn.2xlarge hosting:
0.94 was read in January 2025, and Studio still listed 0.94 in September 2026). Where they differ, the later number wins
over a rate that is undated, or more than `SUPERSEDED_AFTER` older: p4d and p5 fell by a third to almost a half in June
2025. In both cases the price is called derived, since it was not read as such on that day, and `source` names all
evidence. A price whose only evidence is undated stays undated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from hbspec.catalog.rows import DATA, day, parse, rows

SUPERSEDED_AFTER = timedelta(days=180)
"""The age from which less direct evidence replaces a price with which it disagrees."""

SAME_RATE = Decimal("0.01")
"""Relative difference. Studio's 1.52 and Training's 1.515 are one rate, rounded; measured markups vary by 0.3 %."""

EXACT = (Decimal(1), Decimal(1))

STUDIO_SPREAD = (Decimal("0.995"), Decimal("1.005"))
"""Studio's rates are those of training, rounded to cents: 1.52 and 1.515 differ by 0.33 %."""

VOLUME_USD_PER_GB_MONTH = Decimal("0.14")
"""General-purpose SSD of a training instance in `VOLUME_REGION` (https://aws.amazon.com/sagemaker/ai/pricing/)."""

VOLUME_REGION = "us-east-1"
VOLUME_AS_OF = date(2026, 9, 28)

VOLUME_SPREAD = (Decimal(1), Decimal(2))
"""The price in other regions, as multiples: this is 1.4 times the price of EBS gp2, which costs 0.10 to 0.19 USD."""

SIBLINGS: Mapping[str, str] = {"training": "hosting", "hosting": "training"}


class Price(NamedTuple):
    """USD per hour of one instance.

    Attributes:
        component: "training" or "hosting"; rows of the table also have "studio" and "ec2".
        as_of: the day on which the price was read, the first of the month if only that is known; None if undated, which
            counts as stale.
        basis: "read" for this component, or "derived" from other evidence, which `source` names.
    """

    instance_type: str
    region: str
    component: str
    usd_per_hour: Decimal
    as_of: date | None
    basis: str
    source: str
    note: str = ""
    spread: tuple[Decimal, Decimal] = EXACT


class PriceTable:
    """The rows of the table, and the choice among them. A check needs few types, so only their rows are parsed.

    Args:
        refreshed: a file of further rows, see `hbspec.catalog.price_file`.

    Raises:
        PriceFileError: that file is not as it was written.
        OSError: it cannot be read.
    """

    def __init__(self, refreshed: Path | None = None) -> None:
        self._header, *lines = (DATA / "prices.csv").read_text(encoding="utf-8").splitlines()
        if refreshed is not None:
            from hbspec.catalog.price_file import price_lines  # csv's writer and hashlib, which few checks need

            lines += price_lines(refreshed)
        self._lines: dict[str, list[str]] = {}
        for line in lines:
            instance_type, region, _ = line.split(",", 2)
            self._lines.setdefault(f"{instance_type},{region}", []).append(line)
        self._markups = {(row["family"], row["size"]): row for row in rows("markups.csv")}
        self._best: dict[tuple[str, str, str], Price | None] = {}

    @property
    def regions(self) -> set[str]:
        """Every region with a price."""
        return {place.partition(",")[2] for place in self._lines}

    def observed(self, instance_type: str, region: str) -> tuple[Price, ...]:
        """Every price read for a type in a region, including EC2's and superseded ones, in no particular order."""
        return tuple(_observed(row) for row in self._rows(instance_type, region))

    def price(self, instance_type: str, region: str, component: str) -> Price | None:
        """The price with the best evidence; None without evidence. The module's docstring describes the choice."""
        key = instance_type, region, component
        if key not in self._best:  # a search asks for few prices, and often
            best: Price | None = None
            for candidate in self._evidence(*key):
                best = candidate if best is None else _fresher(best, candidate)
            self._best[key] = best
        return self._best[key]

    def _evidence(self, instance_type: str, region: str, component: str) -> Iterator[Price]:
        read: dict[str, Price] = {}
        for price in (_observed(row) for row in self._rows(instance_type, region) if not row["superseded"]):
            read[price.component] = _newest((price, read.get(price.component)))
        if component in read:
            yield read[component]
        sibling = SIBLINGS[component]
        for other, name, spread in ((sibling, f"{sibling} rate", EXACT), ("studio", "Studio rate", STUDIO_SPREAD)):
            if other in read:
                rate, source = read[other].usd_per_hour, f"{name} of {_source(read[other])}"
                yield _derived(read[other], component, rate, source, spread)
        markup = self._markup(instance_type)
        if "ec2" in read and markup:
            ec2 = read["ec2"]
            pairs = f"{markup['pairs']} pair{'s' * (markup['pairs'] != '1')}"
            product = f"EC2 {ec2.usd_per_hour} USD x {markup['markup']} (measured on {pairs})"
            rate, factor = ec2.usd_per_hour * Decimal(markup["markup"]), Decimal(markup["markup"])
            spread = (Decimal(markup["lowest"]) / factor, Decimal(markup["highest"]) / factor)
            yield _derived(ec2, component, rate, f"{product}, EC2 price of {_source(ec2)}", _around(spread))

    def _rows(self, instance_type: str, region: str) -> Iterator[dict[str, str]]:
        return parse(self._header, self._lines.get(f"{instance_type},{region}", ()))

    def _markup(self, instance_type: str) -> Mapping[str, str] | None:
        _, family, size = instance_type.split(".")
        return self._markups.get((family, "xlarge" if size == "xlarge" else "other"))


def _newest(prices: Iterable[Price | None]) -> Price:
    return max((price for price in prices if price), key=lambda price: price.as_of or date.min)


def _fresher(direct: Price, other: Price) -> Price:
    """The more direct price, confirmed by the other where that is newer, or replaced where that is much newer."""
    if other.as_of is None or (direct.as_of is not None and other.as_of <= direct.as_of):
        return direct
    if abs(other.usd_per_hour - direct.usd_per_hour) <= SAME_RATE * direct.usd_per_hour:
        source = f"{direct.component if direct.basis == 'read' else 'derived'} rate, {_source(direct)}"
        return direct._replace(as_of=other.as_of, basis="derived", source=f"{source}; confirmed by {other.source}")
    if direct.as_of is not None and other.as_of - direct.as_of <= SUPERSEDED_AFTER:
        return direct
    older = f"replaces {direct.usd_per_hour} USD ({direct.as_of or 'undated'})"
    return other._replace(note="; ".join(filter(None, (other.note, older))))


def _derived(
    price: Price, component: str, usd_per_hour: Decimal, source: str, spread: tuple[Decimal, Decimal]
) -> Price:
    return price._replace(component=component, usd_per_hour=usd_per_hour, basis="derived", source=source, spread=spread)


def _around(spread: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    """The spread extended to contain 1: where every pair lies above the rounded markup, the markup is the minimum."""
    return min(spread[0], Decimal(1)), max(spread[1], Decimal(1))


def _source(price: Price) -> str:
    return f"{price.as_of or 'unknown date'}: {price.source}"


def _observed(row: Mapping[str, str]) -> Price:
    return Price(
        instance_type=row["instance_type"],
        region=row["region"],
        component=row["component"],
        usd_per_hour=Decimal(row["usd_per_hour"]),
        as_of=day(row["as_of"]),
        basis="read",
        source=row["source"],
        note=row["note"],
    )

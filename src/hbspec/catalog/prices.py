"""What an hour of an instance costs, in USD, on demand, before tax.

Few SageMaker prices can be read anywhere, so a price is chosen among pieces of evidence, the most direct first:

1. a rate read for the component itself ("training" or "hosting");
2. the same type's rate for the other component: the two were the same wherever both were read;
3. the rate of SageMaker Studio, another dimension of the same price list, at most rounded differently;
4. EC2's on-demand price times the markup measured for the family and size (`markups.csv`: 1.15 for p4d, p4de and p5,
   1.40 for a g family's `.xlarge`, 1.25 for its other sizes, the same in every region where it was measured). A family
   without a measured pair (p5e, p5en, p6, g7, p3) has no price this way, and one is not guessed.

Within a piece the newest rate that no later cut superseded counts. Directness yields to freshness: p4d and p5 fell by a
third to almost a half in June 2025, so a rate that is undated, or more than `SUPERSEDED_AFTER` older than less direct
evidence, is confirmed or replaced by that evidence. Where the two agree within `SAME_RATE` the more direct number is
kept with the later date (g4dn.2xlarge hosting: 0.94 was read in January 2025, and Studio still said 0.94 in September
2026); where they differ the later number wins. Either way the price is called derived, since no one read it as such on
that day, and `source` names all that it rests on. A price whose only evidence is undated stays undated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from hbspec.catalog.rows import DATA, day, parse, rows

SUPERSEDED_AFTER = timedelta(days=180)
"""The age at which this project calls a price old."""

SAME_RATE = Decimal("0.01")
"""Relative. Studio's 1.52 and Training's 1.515 are one rate, rounded; the measured markups spread by 0.3 %."""

EXACT = (Decimal(1), Decimal(1))

STUDIO_SPREAD = (Decimal("0.995"), Decimal("1.005"))
"""Studio's rates are Training's, rounded to cents: 1.52 beside 1.515, 0.33 % apart."""

VOLUME_USD_PER_GB_MONTH = Decimal("0.14")
"""General purpose SSD behind a training instance in `VOLUME_REGION` (https://aws.amazon.com/sagemaker/ai/pricing/)."""

VOLUME_REGION = "us-east-1"
VOLUME_AS_OF = date(2026, 9, 28)

VOLUME_SPREAD = (Decimal(1), Decimal(2))
"""What other regions charge, as multiples: EBS's gp2, whose price this is times 1.4, costs from 0.10 to 0.19 USD."""

SIBLINGS: Mapping[str, str] = {"training": "hosting", "hosting": "training"}


class Price(NamedTuple):
    """USD per hour of one instance.

    Attributes:
        component: "training" or "hosting"; rows as they were read also have "studio" and "ec2".
        as_of: when the source read it, the first of the month where it names only that; None is undated, which counts
            as stale.
        basis: "read" for this component, or "derived" from something else, which `source` spells out.
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
    """The rows as they were read, and the choice among them. A check asks for few types, so only theirs are parsed."""

    def __init__(self) -> None:
        self._header, *lines = (DATA / "prices.csv").read_text(encoding="utf-8").splitlines()
        self._lines: dict[str, list[str]] = {}
        for line in lines:
            instance_type, region, _ = line.split(",", 2)
            self._lines.setdefault(f"{instance_type},{region}", []).append(line)
        self._markups = {(row["family"], row["size"]): row for row in rows("markups.csv")}

    @property
    def regions(self) -> set[str]:
        """Every region with a price."""
        return {place.partition(",")[2] for place in self._lines}

    def observed(self, instance_type: str, region: str) -> tuple[Price, ...]:
        """Every price that was read, EC2's and superseded ones included, in no particular order of merit."""
        return tuple(_observed(row) for row in self._rows(instance_type, region))

    def price(self, instance_type: str, region: str, component: str) -> Price | None:
        """The best-founded price; None where there is no evidence. See the module's text for the choice."""
        best: Price | None = None
        for candidate in self._evidence(instance_type, region, component):
            best = candidate if best is None else _fresher(best, candidate)
        return best

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
            product = f"EC2 {ec2.usd_per_hour} USD x {markup['markup']} (measured on {markup['pairs']} pairs)"
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
    """The more direct price, unless the other is so much later that it confirms or replaces it."""
    if other.as_of is None or (direct.as_of is not None and other.as_of - direct.as_of <= SUPERSEDED_AFTER):
        return direct
    if abs(other.usd_per_hour - direct.usd_per_hour) <= SAME_RATE * direct.usd_per_hour:
        source = f"{direct.component if direct.basis == 'read' else 'derived'} rate, {_source(direct)}"
        return direct._replace(as_of=other.as_of, basis="derived", source=f"{source}; confirmed by {other.source}")
    older = f"replaces {direct.usd_per_hour} USD ({direct.as_of or 'undated'})"
    return other._replace(note="; ".join(filter(None, (other.note, older))))


def _derived(
    price: Price, component: str, usd_per_hour: Decimal, source: str, spread: tuple[Decimal, Decimal]
) -> Price:
    return price._replace(component=component, usd_per_hour=usd_per_hour, basis="derived", source=source, spread=spread)


def _around(spread: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    """A spread that holds 1: where every pair lies above the rounded markup, the markup itself is the least."""
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

"""AWS's offer file of SageMaker: the prices of a region as AWS publishes them, without credentials.

Source: `https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/current/REGION/index.csv` (AWS Price
List, "Reading the price list files"): five lines on the offer itself (its version is the time of publication), a line
of column names, and a line for each rate. Read are hourly on-demand rates in USD whose component is Training or
Hosting; left out are notebooks, processing, HyperPod, Studio, savings plans and capacity that was reserved.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

URL = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/current/{region}/index.csv"
CODE = "AmazonSageMaker"
COMPONENTS = {"Training": "training", "Hosting": "hosting"}
PREAMBLE = 5
COLUMNS = ("TermType", "Unit", "PricePerUnit", "Currency", "Component", "Instance Name", "Region Code")
"""The columns that are read, as AWS spells them."""


class OfferError(ValueError):
    """A file other than the whole offer of SageMaker for the region; the message says what is wrong with it."""


class HourlyRate(NamedTuple):
    """USD per hour of an instance type for a component ("training" or "hosting")."""

    instance_type: str
    component: str
    usd_per_hour: Decimal


class Offer(NamedTuple):
    """The rates of a region.

    Attributes:
        version: AWS's version: `20260921172504`.
        published: the day of publication.
        rates: in the order of type and component.
    """

    region: str
    version: str
    published: date
    rates: tuple[HourlyRate, ...]


def offer_of(lines: Iterable[str], region: str) -> Offer:
    """The offer that the lines of `index.csv` hold.

    Raises:
        OfferError: it is another file, another region's, or ends in the middle.
    """
    rows = csv.reader(lines, strict=True)
    try:
        about = dict(_pair(next(rows, [])) for _ in range(PREAMBLE))
        if about.get("OfferCode") != CODE:
            raise OfferError(f"it is not an offer of {CODE}, but starts with {sorted(about)[:2]}")
        columns = next(rows, [])
        missing = [column for column in COLUMNS if column not in columns]
        if missing:
            raise OfferError(f"it has no column {missing[0]}")
        rates = _rates(rows, columns, region)
    except csv.Error as reason:
        raise OfferError(f"it ends in the middle, or is not CSV ({reason})") from reason
    if not rates:
        raise OfferError(f"it has no hourly rate of {' or '.join(COMPONENTS)} in {region}")
    published = about.get("Publication Date", "")[: len("2026-09-21")]
    try:
        day = date.fromisoformat(published)
    except ValueError:
        raise OfferError(f"its publication date is {published!r}") from None
    return Offer(region, about.get("Version", ""), day, tuple(sorted(rates)))


def _pair(row: list[str]) -> tuple[str, str]:
    return (row[0], row[1]) if len(row) > 1 else ("", "")


def _rates(rows: Iterator[list[str]], columns: list[str], region: str) -> set[HourlyRate]:
    """Each rate once; a type with two rates for one component is refused."""
    found: dict[tuple[str, str], HourlyRate] = {}
    for number, row in enumerate(rows, PREAMBLE + 2):
        if len(row) != len(columns):
            raise OfferError(f"line {number} has {len(row)} of {len(columns)} cells: it ends in the middle")
        cells = dict(zip(columns, row, strict=True))
        rate = _rate(cells, region, number)
        if rate is not None and found.setdefault(rate[:2], rate) != rate:
            raise OfferError(f"{rate.instance_type} has two rates for {rate.component}")
    return {*found.values()}


def _rate(cells: dict[str, str], region: str, number: int) -> HourlyRate | None:
    """The rate in a line; None where it is another kind of rate."""
    component, name = COMPONENTS.get(cells["Component"]), cells["Instance Name"]
    hourly = cells["Unit"].lower() in ("hrs", "hours", "hour") and cells["TermType"] == "OnDemand"
    if component is None or not hourly or cells["Currency"] != "USD" or not name.startswith("ml."):
        return None
    if cells["Region Code"] != region:
        raise OfferError(f"line {number} is of {cells['Region Code']}, not of {region}")
    try:
        usd = Decimal(cells["PricePerUnit"])
    except InvalidOperation:
        raise OfferError(f"the price in line {number} is {cells['PricePerUnit']!r}") from None
    if not usd.is_finite() or usd < 0:
        raise OfferError(f"the price in line {number} is {usd}")
    return HourlyRate(name, component, usd) if usd else None

"""A file of prices that its owner has refreshed: the rows of `data/prices.csv`, after a line with their digest.

The digest tells a file that was cut short or edited from one that `hbspec catalog refresh` wrote. Its prices stand
beside the shipped ones, and the newest wins as ever (`hbspec.catalog.prices`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from hashlib import sha256
from io import StringIO
from pathlib import Path

from hbspec.catalog.offers import CODE, Offer

MARK = "# hbspec prices 1 sha256 "
COLUMNS = "instance_type,region,component,usd_per_hour,as_of,superseded,source,checked,note"


class PriceFileError(ValueError):
    """A file that holds no prices as they were written; the message says what is wrong and what to do."""


def price_file_text(offers: Iterable[Offer], checked: str) -> str:
    """The text of a file with the rates of some offers.

    Args:
        offers: one for each region.
        checked: the day on which they were read, as an ISO date.
    """
    body = StringIO()
    body.write(f"{COLUMNS}\n")
    table = csv.writer(body, lineterminator="\n")
    for offer in offers:
        source = f"AWS's offer file of {CODE}, version {offer.version}"
        for rate in offer.rates:
            row = (rate.instance_type, offer.region, rate.component, f"{rate.usd_per_hour:f}")
            table.writerow((*row, offer.published.isoformat(), "", source, checked, ""))
    return f"{MARK}{_digest(body.getvalue())}\n{body.getvalue()}"


def price_lines(path: Path) -> list[str]:
    """The lines of a file's rows.

    Raises:
        PriceFileError: it was not written by `hbspec catalog refresh`, or was changed since.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""
    first, _, body = text.partition("\n")
    if not first.startswith(MARK) or not body.startswith(f"{COLUMNS}\n"):
        raise PriceFileError(f"{path}: not a file of prices; write one with `hbspec catalog refresh prices`")
    if first.removeprefix(MARK) != _digest(body):
        raise PriceFileError(f"{path}: changed or cut short since it was written; refresh it")
    return body.splitlines()[1:]


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()

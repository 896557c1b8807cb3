"""`hbspec catalog refresh`: today's prices, from AWS's public offer file, in a file that the author names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from http.client import HTTPException
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from hbspec.catalog.offers import URL
from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK

if TYPE_CHECKING:
    from hbspec.catalog.offers import Offer

HERE = ("localhost", "127.0.0.1", "::1")
SECONDS = 60
"""How long the server may be silent."""


def run(table: str, regions: Sequence[str], output: Path, url: str) -> int:  # noqa: ARG001 - prices are the only table
    """Read the offer of every region, and write the file once all are whole; return the exit code."""
    from hbspec.catalog.price_file import price_file_text
    from hbspec.cli.whole import write_file

    where = urlsplit(url)
    if (where.scheme != "https" and where.hostname not in HERE) or "{region}" not in url:
        raise MisuseError(f"--url {url}: give an https address with {{region}} in it")
    _refuse_foreign(output)
    offers = []
    for region in dict.fromkeys(regions):
        try:
            offers.append(_offer(url.format(region=region), region))
        except (OSError, HTTPException, ValueError) as reason:
            said = reason.reason if isinstance(reason, URLError) else reason
            sys.stderr.write(f"hbspec: {region}: {said or type(reason).__name__}; {output} is as it was\n")
            return ERRORS
    today = date.today()  # noqa: DTZ011 - a calendar day, where the user is
    write_file(output, price_file_text(offers, today.isoformat()).encode(), replace=True)
    for offer in offers:
        count = len(offer.rates)
        sys.stdout.write(f"{offer.region}: {count} prices of {offer.published} (version {offer.version})\n")
    sys.stdout.write(f"next: hbspec check SPEC --catalog {output}\n")
    return OK


def _offer(url: str, region: str) -> Offer:
    """The offer at an address, read line by line.

    Raises:
        OfferError: it is not the whole offer of the region.
        OSError, HTTPException: it cannot be fetched, or the connection ended early.
    """
    from hbspec.catalog.offers import OfferError, offer_of

    with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - `run` allows https, and this machine
        offer = offer_of(TextIOWrapper(answer, encoding="utf-8", newline=""), region)
        if answer.length:  # http.client says nothing of a body that is shorter than its header promises
            raise OfferError(f"the connection ended {answer.length:,} bytes early")
        return offer


def _refuse_foreign(output: Path) -> None:
    """Only a file of prices is replaced."""
    from hbspec.catalog.price_file import MARK
    from hbspec.cli.whole import is_device

    if is_device(output):  # nothing of it would be lost, and a pipe would be waited for
        return
    if output.is_dir() or (output.exists() and not output.read_bytes().startswith(MARK.encode())):
        raise MisuseError(f"{output} holds something else than prices; give --output another name")


def _region(word: str) -> str:
    """A region's name, which becomes part of an address.

    Raises:
        ValueError: it has other characters than such names have.
    """
    if not word.replace("-", "").isalnum() or not word.isascii():
        raise ValueError("not a region, such as ca-central-1")
    return word.lower()


COMMAND = Command(
    "catalog refresh",
    "Write today's prices to a file, for `--catalog`.",
    run,
    (
        Parameter("table", "What to refresh.", metavar="TABLE", choices=("prices",), required=True),
        Parameter(
            "regions",
            "A region to read the prices of. Can be repeated.",
            ("--region",),
            "REGION",
            convert=_region,
            repeated=True,
            required=True,
        ),
        Parameter("output", "The file to write.", ("--output", "-o"), "FILE", convert=Path, default="prices.csv"),
        Parameter("url", "Where AWS's offer file is; a mirror of it.", ("--url",), "URL", default=URL),
    ),
    details="The offer file is public: no credentials are needed. The old file stays unless every region was read.",
)

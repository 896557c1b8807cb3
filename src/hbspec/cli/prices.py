"""`hbspec prices`: what the catalog knows of prices."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command, MisuseError, Parameter, did_you_mean
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import REGION, format_of, region_of

COMPONENTS = ("training", "hosting")


def run(instance_type: str | None, region: str | None, format: str) -> int:  # noqa: A002 - the option's name
    """Print the prices of a type, in a region, or of everything; return the exit code."""
    from hbspec.catalog import catalog
    from hbspec.render.catalog import price_lines, price_to_dict
    from hbspec.render.paint import columns, write
    from hbspec.render.plain_json import json_text

    facts = catalog()
    if instance_type is not None and instance_type not in facts.instances:
        guess = did_you_mean(instance_type, [*facts.instances])
        raise MisuseError(f"{instance_type} is not in the catalog (`hbspec instances` lists its types){guess}")
    place = region_of(region)
    found = [
        price
        for name in ((instance_type,) if instance_type else facts.instances)
        for where in ((place,) if place else facts.regions)
        for component in COMPONENTS
        if (price := facts.price(name, where, component))
    ]
    if format == "json":
        sys.stdout.write(json_text({"format_version": 1, "prices": [price_to_dict(price) for price in found]}))
    else:
        write(price_lines(found, columns()), sys.stdout)
        if not found:
            sys.stderr.write("no price is known; set instance.price in the spec\n")
    return OK


COMMAND = Command(
    "prices",
    "List the hourly prices that the catalog knows, and where each was read.",
    run,
    (
        Parameter("instance_type", "List the prices of this type: ml.p4d.24xlarge.", metavar="TYPE"),
        REGION,
        format_of("text", "json"),
    ),
)

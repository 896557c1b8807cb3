"""`hbspec instances`: what the catalog knows of instance types."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command, MisuseError, Parameter, did_you_mean
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import REGION, format_of, region_of


def run(region: str | None, gpu: str | None, format: str) -> int:  # noqa: A002 - the option's name
    """Print the types with GPUs that are offered in a region or have a GPU; return the exit code."""
    from hbspec.catalog import catalog
    from hbspec.render.catalog import instance_lines, instance_to_dict
    from hbspec.render.paint import columns, write
    from hbspec.render.plain_json import json_text

    facts = catalog()
    place, wanted = region_of(region), _gpus(gpu)
    found = [
        instance
        for instance in facts.instances.values()
        if (not place or instance.regions is None or place in instance.regions)
        and (instance.gpu in wanted if wanted else instance.gpus > 0)
    ]
    if format == "json":
        entries = [instance_to_dict(instance, facts, place) for instance in found]
        sys.stdout.write(json_text({"format_version": 1, "region": place, "instances": entries}))
    else:
        write(instance_lines(found, facts, place, columns()), sys.stdout)
        if not found:
            named = f" with the {' or '.join(wanted)}" if wanted else ""
            where = f" in {place}" if place else ""
            sys.stderr.write(f"the catalog has no instance type{named}{where}\n")
    return OK


def _gpus(spelling: str | None) -> tuple[str, ...]:
    """The names of the GPUs that a spelling may mean; none without a spelling."""
    if spelling is None:
        return ()
    from hbspec.catalog import catalog
    from hbspec.catalog.gpu_names import gpus_meant

    found = catalog().gpu_called(spelling)
    meant = (found.name,) if found else gpus_meant(spelling, catalog().gpus)
    if not meant:
        raise MisuseError(f"--gpu {spelling} is not in the catalog{did_you_mean(spelling, [*catalog().gpus])}")
    return meant


COMMAND = Command(
    "instances",
    "List SageMaker's instance types with GPUs.",
    run,
    (
        REGION,
        Parameter("gpu", "List the types with this GPU: A100, H100-80, L40S.", ("--gpu",), "GPU"),
        format_of("text", "json"),
    ),
)

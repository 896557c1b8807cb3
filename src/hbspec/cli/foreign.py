"""Options for files of other programs: whose they are, and what such a file cannot say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hbspec.cli.command import MisuseError, Parameter, did_you_mean
from hbspec.frontends import names


def _program(word: str) -> str:
    """The word, if its part before a colon names a front end.

    Raises:
        MisuseError: it does not.
    """
    program = word.partition(":")[0]
    if program not in names():
        close = did_you_mean(program, names())
        raise MisuseError(f"--as {word} is not one of {', '.join(names())}{close}")
    return word


AS = Parameter(
    "program",
    f"Whose file it is, where its keys do not say so: {', '.join(names())}; of code with several jobs, which, as in "
    "sagemaker:estimator or shell:2.",
    ("--as",),
    "PROGRAM[:JOB]",
    convert=_program,
)
ON = Parameter(
    "on",
    "The hardware: an instance type or a GPU, and how many, as in ml.g5.12xlarge, ml.p5.48xlargex2 or L4x2.",
    ("--on",),
    "TYPE[xN]",
)
WITH = Parameter(
    "beside",
    "A file that says more and counts above the other: a part of a spec, or accelerate's file. Can be repeated.",
    ("--with",),
    "FILE",
    repeated=True,
)
REGION = Parameter("region", "The job's region, as in `instance.region`.", ("--region",), "REGION")
PARALLELISM = Parameter(
    "parallelism", "How the GPUs share the work, as in `instance.parallelism`.", ("--parallelism",), "WAY"
)
FOREIGN = (AS, ON, WITH, REGION, PARALLELISM)
"""The options of a command that takes files of other programs, too; those on hardware set the keys of any spec."""

SETTINGS = {"region": "instance.region", "parallelism": "instance.parallelism"}


def asked(
    overrides: Sequence[str],
    *,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    region: str | None,
    parallelism: str | None,
) -> dict[str, Any]:
    """The arguments of `hbspec.api` for these options; what `--set` says counts above them."""
    said = {"region": region, "parallelism": parallelism}
    settings = [f"{SETTINGS[name]}={value}" for name, value in said.items() if value is not None]
    return {"overrides": (*_hardware(on), *settings, *overrides), "program": program, "beside": tuple(beside)}


def _hardware(on: str | None) -> list[str]:
    """Settings for a type and its number.

    >>> _hardware("ml.p5.48xlargex2"), _hardware("A100-80x8"), _hardware("ml.g5.2xlarge")
    (['instance.type=ml.p5.48xlarge', 'instance.count=2'], ['instance.gpu=A100-80', 'instance.gpus=8'], \
['instance.type=ml.g5.2xlarge'])
    """
    if not on:
        return []
    found = re.fullmatch(r"(.+?)x([0-9]{1,4})", on)
    name, number = found.groups() if found else (on, None)
    kind, count = ("type", "count") if name.startswith("ml.") else ("gpu", "gpus")
    return [f"instance.{kind}={name}", *([f"instance.{count}={number}"] if number else [])]

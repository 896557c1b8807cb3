"""`hbspec init`: write a spec to start from, as the starter or with a plan that the search finds for the answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.first_answers import (
    EXAMPLES,
    METHODS,
    MODEL,
    REGION,
    answered,
    data_of,
    given,
    model_of,
    money_of,
    type_of,
)
from hbspec.cli.first_spec import starter
from hbspec.cli.modeline import with_modeline, write_schema

if TYPE_CHECKING:
    from hbspec.cli.first_answers import Answers
    from hbspec.units import Money


def run(
    path: str,
    model: str | None,
    data: Path | int | None,
    type: str | None,  # noqa: A002 - the option's name
    region: str | None,
    method: str | None,
    max_cost: Money | None,
) -> int:
    """Write a spec, unless the file exists; return the exit code."""
    from hbspec.cli.options import region_of

    if os.path.lexists(path):
        raise MisuseError(f"{path} already exists; name another file")
    answers = given(model=model, data=data, type=type, region=region_of(region), method=method, max_cost=max_cost)
    if answers is None and sys.stdin.isatty():
        answers = answered()
    if answers is None:
        return _written(path, starter(Path(path)).encode())
    return _drafted(path, answers)


def _drafted(path: str, answers: Answers) -> int:
    """Write the spec with the cheapest plan, or say why there is none.

    Raises:
        MisuseError: the answers cannot be used.
        OSError: the file or the data cannot be read or written; nothing is left behind.
    """
    from hbspec.cli.first_spec import NoPlanError, drafted, profiled
    from hbspec.cli.outcome import refuse
    from hbspec.render.optimum import optimum_lines
    from hbspec.render.paint import columns, write

    try:
        with profiled(answers, Path(path)) as settled:
            code = _written(path, drafted(settled, Path(path)).encode())
    except NoPlanError as none:
        if none.optimum is not None:
            write(optimum_lines(none.optimum, columns()), sys.stderr)
        else:
            refuse(none.report)
        sys.stderr.write(f"{path} was not written\n")
        return ERRORS
    _said(path)
    return code


def _said(path: str) -> None:
    """What the new job takes, on standard error."""
    from hbspec.api import estimate
    from hbspec.render.answer import answer
    from hbspec.render.lines import wrapped
    from hbspec.render.paint import columns, write

    for said in answer(estimate(path)):
        write(wrapped(((said.style, said.text),), columns(), 2), sys.stderr)


def _written(path: str, content: bytes) -> int:
    from hbspec.cli.whole import write_file
    from hbspec.render.paint import write

    try:
        write_file(Path(path), with_modeline(content), replace=False)
    except FileExistsError:
        raise MisuseError(f"{path} already exists; name another file") from None
    schema = write_schema(Path(path).parent)
    beside = ((("path", str(schema)),),) if schema else ()
    write(((("path", path),), *beside, (("", f"next: hbspec check {path}"),)), sys.stdout)
    return OK


COMMAND = Command(
    "init",
    "Write a commented spec to start from.",
    run,
    (
        Parameter("path", "The file to write.", metavar="PATH", default="spec.yaml"),
        Parameter(
            "model",
            f"A model of the catalog, or a config.json; {MODEL} by default.",
            ("--model",),
            "MODEL",
            convert=model_of,
        ),
        Parameter(
            "data",
            f"The training data, which are profiled, a profile, or the number of examples; {EXAMPLES} by default.",
            ("--data",),
            "DATA",
            convert=data_of,
        ),
        Parameter("type", "The instance type; the cheapest plan by default.", ("--type",), "TYPE", convert=type_of),
        Parameter("region", f"The region to rent in; {REGION} by default.", ("--region",), "REGION"),
        Parameter("method", "How the model is trained; with qlora by default.", ("--method",), choices=METHODS),
        Parameter("max_cost", "The most that the job may cost: 20 USD.", ("--max-cost",), "AMOUNT", convert=money_of),
    ),
    "With an option, the cheapest plan that certainly fits is searched, and its limits and claims are written from its "
    "estimates. Without one, the questions are asked at a terminal; elsewhere the starter is written. A file that is "
    "there is kept. Exit code 0: the spec is written. 1: no plan was found, or its check has errors. 2: misuse.",
)

"""`hbspec smoke`: run the compiled job for a few updates on a CPU, and compare its counts with the plan."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.model_config import model_config
from hbspec.cli.options import SET, positive
from hbspec.cli.places import default_folder, settled

NEEDED = ("torch", "transformers", "peft", "trl", "datasets")
RANKS = 2
"""Ranks of a rehearsal if the job has several: the fewest that show how the data are distributed."""
REFUSAL = "which hbspec smoke does not make small"


def run(
    spec: str,
    ranks: int | None,
    updates: int,
    train: str | None,
    validation: str | None,
    output: str | None,
    overrides: Sequence[str],
    force: bool,
) -> int:
    """Rehearse in a new folder, and print what agrees with the plan, what does not, and what is unproven."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MisuseError(f"smoke trains a model and needs {', '.join(missing)}: pip install 'hbspec[train]'")
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.render.paint import columns, write
    from hbspec.render.rehearsal import rehearsal_lines
    from hbspec.smoke import RehearsalError, rehearse

    try:
        plan = estimate(spec, overrides=overrides).plan
        config, processes = model_config(spec, overrides, REFUSAL), _ranks(ranks, plan.processes)
        train_file, validation_file = _file(train), _file(validation)
        result = rehearse(
            spec,
            _new(settled(Path(output)) if output else default_folder(plan.name, "smoke")),
            config=config,
            ranks=processes,
            updates=updates,
            train=train_file,
            validation=validation_file,
            overrides=overrides,
            force=force,
        )
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except RehearsalError as reason:
        write(((("", f"hbspec: {reason}"),),), sys.stderr)
        return ERRORS
    write(rehearsal_lines(result, columns()), sys.stdout)
    return OK if result.agrees else ERRORS


def _ranks(asked: int | None, processes: int | None) -> int:
    if processes == 1 and asked not in (None, 1):
        raise MisuseError(f"--ranks {asked}: the job runs in one process")
    return asked or (1 if processes == 1 else RANKS)


def _new(wanted: Path) -> Path:
    """A new or empty folder: the wanted one, or its name with a number if an earlier run left files in it."""
    numbered = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(1))
    folder = next(place for place in numbered if not place.exists() or (place.is_dir() and not any(place.iterdir())))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def _file(name: str | None) -> Path | None:
    if name is not None and not Path(name).is_file():
        raise MisuseError(f"{name} is not a file")
    return None if name is None else Path(name)


COMMAND = Command(
    "smoke",
    "Rehearse the compiled job on this machine's CPU, with a tiny random model.",
    run,
    (
        Parameter("spec", "The spec to rehearse.", metavar="SPEC", required=True),
        Parameter(
            "ranks",
            f"Number of processes; {RANKS} by default, or 1 if the job runs in one.",
            ("--ranks",),
            "N",
            None,
            positive,
        ),
        Parameter("updates", "Number of optimizer updates.", ("--updates",), "N", "4", positive),
        Parameter("train", "JSON lines to train on; a synthetic sample by default.", ("--train",), "FILE"),
        Parameter("validation", "JSON lines to evaluate on.", ("--validation",), "FILE"),
        Parameter("output", "The folder to work in; build/NAME/smoke by default.", ("--output", "-o"), "DIR"),
        SET,
        Parameter("force", "Rehearse even if the spec has errors.", ("--force",), switch=True),
    ),
    "Exit code 0: every count is as planned. Needs the extra `train`.",
)

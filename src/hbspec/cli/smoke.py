"""`hbspec smoke`: run the compiled job for a few updates on a CPU, and compare what it counts with the plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import SET, positive
from hbspec.cli.places import default_folder, settled

NEEDED = ("torch", "transformers", "peft", "trl", "datasets")
RANKS = 2
"""Processes of a rehearsal where the job has several: the fewest that show how the data are shared out."""


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
    """Rehearse in a new folder, and say what agrees with the plan, what does not, and what was not proven."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MisuseError(f"smoke trains, and needs {', '.join(missing)}: pip install 'hbspec[train]'")
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.render.paint import columns, write
    from hbspec.render.rehearsal import rehearsal_lines
    from hbspec.smoke import RehearsalError, rehearse

    try:
        plan = estimate(spec, overrides=overrides).plan
        config, processes = _config(spec, overrides), _ranks(ranks, plan.processes)
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
        raise MisuseError(f"--ranks {asked}: the job is one process")
    return asked or (1 if processes == 1 else RANKS)


def _new(wanted: Path) -> Path:
    """The folder, or one numbered after it if it holds something already: what an earlier run left is kept."""
    numbered = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(1))
    folder = next(place for place in numbered if not place.exists() or (place.is_dir() and not any(place.iterdir())))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def _file(name: str | None) -> Path | None:
    if name is not None and not Path(name).is_file():
        raise MisuseError(f"{name} is not a file")
    return None if name is None else Path(name)


def _config(spec: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The `config.json` of the model: the spec's own, or as it was published."""
    from hbspec.catalog.rows import DATA
    from hbspec.source import load
    from hbspec.source.attachments import read_json

    document = load(spec, overrides=overrides)
    model = document.values["model"]
    if model.get("config"):
        return dict(read_json(document, ("model", "config"), model["config"]))
    entries = json.loads((DATA / "models.json").read_text(encoding="utf-8"))
    for entry in entries:
        if entry["id"] == model.get("id"):
            return dict(entry["config"])
    raise MisuseError(f"the model {model.get('id')} is not in the catalog; give model.config, its config.json")


COMMAND = Command(
    "smoke",
    "Rehearse the compiled job on this machine's CPU, with a tiny random model.",
    run,
    (
        Parameter("spec", "A spec.", metavar="SPEC", required=True),
        Parameter("ranks", f"Processes; {RANKS} if absent, 1 where the job is one.", ("--ranks",), "N", None, positive),
        Parameter("updates", "Optimizer updates.", ("--updates",), "N", "4", positive),
        Parameter("train", "JSON lines to train on; a synthetic sample if absent.", ("--train",), "FILE"),
        Parameter("validation", "JSON lines to evaluate on.", ("--validation",), "FILE"),
        Parameter("output", "Folder to work in; build/NAME/smoke if absent.", ("--output", "-o"), "DIR"),
        SET,
        Parameter("force", "Rehearse a spec that has errors.", ("--force",), switch=True),
    ),
    "Exit code 0: everything that was counted is as planned. Needs the extra `train`.",
)

"""The rehearsal: the compiled invocation, run for a few updates on this machine's CPU.

The rehearsal runs the compiled target `launch` with the shipped script's option `--tiny`. The script documents and
prints the settings that it overrides (`templates/tiny.py`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbspec.api import SpecLike, compile_spec, estimate
from hbspec.plan import Plan
from hbspec.plan.generations import generations
from hbspec.smoke.compare import Comparison, compare, unproven
from hbspec.smoke.reward_columns import reward_columns
from hbspec.smoke.sample import training_lines, validation_lines

UPDATES = 4
TIMEOUT = 1800


class RehearsalError(RuntimeError):
    """A rehearsal that could not run or did not finish; the message says which, and where its output is."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The result of a rehearsal.

    Attributes:
        folder: the folder of the rehearsal.
        plan: the plan of the spec.
        run: the content of `run.json`, written by the script.
        comparisons: planned and counted quantities.
        unproven: facts that the rehearsal does not prove.
        synthetic: whether the training data were synthetic.
    """

    folder: Path
    plan: Plan
    run: Mapping[str, Any]
    comparisons: Sequence[Comparison]
    unproven: Sequence[str]
    synthetic: bool

    @property
    def agrees(self) -> bool:
        """Whether all counts are as planned."""
        return all(row.agrees for row in self.comparisons)


def rehearse(
    spec: SpecLike,
    folder: Path,
    *,
    config: Mapping[str, Any],
    ranks: int,
    updates: int = UPDATES,
    train: Path | None = None,
    validation: Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
) -> Rehearsal:
    """Compile a spec, train a few updates, and compare the counts with the plan.

    Args:
        spec: a path, `-`, or a mapping.
        folder: an empty folder for all output.
        config: the model's `config.json`.
        ranks: number of processes; 1 for `single` and `pipeline`.
        updates: number of optimizer updates.
        train: file of JSON lines to train on; a synthetic sample by default.
        validation: file of JSON lines to evaluate on; by default a synthetic sample, if the job evaluates.
        overrides: strings `key.path=value`, as after `--set`.
        force: rehearse a spec that has errors.

    Raises:
        hbspec.api.InvalidSpecError: the spec cannot be compiled.
        RehearsalError: the spec has its own script, or training failed.
    """
    estimates = estimate(spec, overrides=overrides)
    plan, asked = estimates.plan, estimates.analysis.spec
    data = asked.data
    for artifact in compile_spec(spec, "launch", overrides=overrides, force=force):
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.content)
        path.chmod(0o755 if artifact.executable else 0o644)
    if not (folder / "source" / "tiny.py").is_file():
        raise RehearsalError("a rehearsal needs the shipped script, but this spec names its own script")
    (folder / "config.json").write_text(json.dumps(config))
    beside = reward_columns(folder / "source", asked.reward.functions) if asked.reward else ()
    _place(train, folder / "train", training_lines(data, beside))
    held_out = data.validation is not None and data.validation.share is not None
    evaluated = plan.training.eval_steps or plan.training.evals_per_epoch
    if validation or (evaluated and not held_out):
        _place(validation, folder / "validation", validation_lines(data, beside))
    made_up = beside if train is None else ()
    _train(folder, ranks, updates, made_up)
    run = json.loads((folder / "output" / "run.json").read_text())
    tiny = json.loads((Path(run["model_folder"]) / "config.json").read_text())
    return Rehearsal(
        folder=folder,
        plan=plan,
        run=run,
        comparisons=compare(plan, run, tiny, ranks, generations(asked, ranks) if asked.task == "grpo" else None),
        unproven=unproven(plan, made_up),
        synthetic=train is None,
    )


def _place(file: Path | None, folder: Path, made_up: str) -> None:
    """Write one split to a new folder, as for a channel: the file, or synthetic lines without one."""
    folder.mkdir()
    if file is None:
        (folder / "data.jsonl").write_text(made_up)
    else:
        shutil.copyfile(file, folder / "data.jsonl")


def _train(folder: Path, ranks: int, updates: int, made_up: Sequence[str]) -> None:
    arguments = {
        "--train-dir": folder / "train",
        "--validation-dir": folder / "validation",
        "--checkpoint-dir": folder / "checkpoints",
        "--model-dir": folder / "model",
        "--output-data-dir": folder / "output",
        "--model-config": folder / "config.json",
        "--max-updates": updates,
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    # `python` is this interpreter, whatever the caller's PATH
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    environment = {**os.environ, "PATH": path, "NPROC_PER_NODE": str(ranks), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - hbspec's script, in a folder that hbspec wrote
            ["/usr/bin/env", "bash", str(folder / "launch.sh"), "--tiny", *words], env=environment, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"training took longer than {TIMEOUT} s; its output is in {folder}") from None
    if done.returncode:
        said = f"training ended with exit code {done.returncode}; its output is in {folder}"
        if made_up:
            names = ", ".join(made_up)
            said += f"; the sample's columns made up for reward functions: {names}; pass --train FILE to use your data"
        raise RehearsalError(said)

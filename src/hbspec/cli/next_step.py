"""The command that comes after `hbspec compile`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

from hbspec.spec import Spec
from hbspec.targets.lowering.target import Target

READ, EVALUATED = "--train-dir TRAIN", "--validation-dir VALIDATION"
WRITTEN = "--checkpoint-dir CHECKPOINTS --model-dir MODEL --output-data-dir OUTPUT"
"""Folders of the shipped script, which are SageMaker's where they are not named."""


def next_step(folder: Path, target: Target[Any], spec: Spec) -> str:
    """The command, quoted for a shell; words in capitals are folders that the user chooses.

    Args:
        folder: that was compiled to.
        target: that was compiled.
        spec: that was compiled.
    """
    command = f"bash {quote(str(folder / target.script))}"
    if not target.folders or spec.script:
        return command
    return " ".join([command, READ, *([EVALUATED] if spec.data.validation else []), WRITTEN])
